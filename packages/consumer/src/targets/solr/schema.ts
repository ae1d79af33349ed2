// The schema of a core, as far as a document needs it: which fields there are, and which of them take several values.
// https://solr.apache.org/guide/solr/latest/indexing-guide/schema-api.html
import { parsed } from './failures.js';
import { kindOf, type ValueKind } from './value-kind.js';

interface Declared {
  readonly name: string;
  readonly type: string;
  readonly multiValued?: boolean;
}

export interface FieldType {
  readonly name: string;
  readonly class: string;
  readonly multiValued?: boolean;
  /** Of `solr.TrieField` alone. */
  readonly type?: string;
}

interface SchemaAnswer {
  readonly schema?: {
    readonly uniqueKey?: string;
    readonly fieldTypes?: readonly FieldType[];
    readonly fields?: readonly Declared[];
    readonly dynamicFields?: readonly Declared[];
  };
}

export interface Field {
  readonly multiValued: boolean;
  /** What it can hold. */
  readonly kind: ValueKind;
  /** The name of its type. */
  readonly type: string;
}

interface DynamicField extends Field {
  readonly prefix: string;
  readonly suffix: string;
}

export class Schema {
  readonly uniqueKey: string | undefined;
  readonly fieldTypes: readonly FieldType[];
  /** Equal for equal schemas. */
  readonly text: string;
  readonly #fields = new Map<string, Field>();
  /** The longest pattern first, as Solr prefers it: https://solr.apache.org/guide/solr/latest/indexing-guide/dynamic-fields.html */
  readonly #dynamicFields: readonly DynamicField[];

  private constructor(schema: NonNullable<SchemaAnswer['schema']>) {
    this.text = JSON.stringify(schema);
    this.uniqueKey = schema.uniqueKey;
    this.fieldTypes = schema.fieldTypes ?? [];
    const ofType = new Map(this.fieldTypes.map((type) => [type.name, { multiValued: type.multiValued ?? false, kind: kindOf(type) }]));
    const fieldOf = ({ type, multiValued }: Declared): Field => {
      const declared = ofType.get(type);
      return { multiValued: multiValued ?? declared?.multiValued ?? false, kind: declared?.kind ?? 'any', type };
    };
    for (const declared of schema.fields ?? []) this.#fields.set(declared.name, fieldOf(declared));
    this.#dynamicFields = (schema.dynamicFields ?? [])
      .toSorted((a, b) => b.name.length - a.name.length)
      .map((declared) => {
        const star = declared.name.indexOf('*');
        return { prefix: declared.name.slice(0, star), suffix: declared.name.slice(star + 1), ...fieldOf(declared) };
      });
  }

  /** The schema in the answer to `<core>/schema`; undefined if the answer has none. */
  static read(text: string): Schema | undefined {
    const schema = (parsed(text) as SchemaAnswer | undefined)?.schema;
    return schema === undefined ? undefined : new Schema(schema);
  }

  /** The field that takes the values of this name. */
  field(name: string): Field | undefined {
    return this.#fields.get(name) ?? this.#dynamicFields.find(({ prefix, suffix }) => name.startsWith(prefix) && name.endsWith(suffix));
  }
}
