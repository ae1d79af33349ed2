// Fields for `--solr-schema add`: what a schema lacks, with a type that holds what was seen first.
// https://solr.apache.org/guide/solr/latest/indexing-guide/schema-api.html#add-a-new-field
import { BsonType } from '@tailwater/schema';
import type { FieldNode } from './field-tree.js';
import type { FieldType, Schema } from './schema.js';

/** What values need of a field. */
type Need = 'text' | 'exact' | 'number' | 'integer' | 'boolean' | 'date';

const TEXT = ['TextField', 'SortableTextField', 'StrField'];
const EXACT = ['StrField', ...TEXT];
/** Classes of field types that suit, the best first. Text is tokenised: a string field refuses values over 32,766 bytes. */
const CLASSES: Readonly<Record<Need, readonly string[]>> = {
  text: TEXT,
  exact: EXACT,
  // An application that writes 1 may write 19.99 next: a double holds both, and every integer up to 2^53. What has no such type goes into text, with all digits.
  number: ['DoublePointField', 'TrieDoubleField', ...EXACT],
  integer: ['LongPointField', 'TrieLongField', ...EXACT],
  boolean: ['BoolField', ...EXACT],
  date: ['DatePointField', 'TrieDateField', ...EXACT],
};
const NEEDS: Readonly<Record<number, Need>> = {
  [BsonType.string]: 'text',
  [BsonType.symbol]: 'text',
  [BsonType.code]: 'text',
  // Base64 of any length.
  [BsonType.binary]: 'text',
  [BsonType.double]: 'number',
  [BsonType.int32]: 'number',
  [BsonType.int64]: 'number',
  [BsonType.boolean]: 'boolean',
  [BsonType.date]: 'date',
};
/** Solr reads `*` as a pattern; the others its schema, which is XML, would give back as other names, or not at all. */
const UNUSABLE_NAME = /[*\p{Cc}\uFFFE\uFFFF]|^\s*$/u;
const MAX_NAME_LENGTH = 1_000;
/** Where several types are of one class: those of Solr's own schemas. */
const USUAL_NAMES = new Set(['text_general', 'string', 'plong', 'pdouble', 'boolean', 'pdate']);

export interface NewField {
  readonly name: string;
  readonly type: string;
  readonly multiValued: boolean;
}

export class NewFields {
  readonly #noted = new Map<string, { need: Need; multiValued: boolean }>();

  get size(): number {
    return this.#noted.size;
  }

  /**
   * Notes a field. One inside an array's elements does not count: each length of an array would add fields without end.
   *
   * @param exceedsDouble the value is an integer that no double holds
   */
  note({ path, isIndexed, isReserved }: FieldNode, type: number, multiValued: boolean, exceedsDouble: boolean): void {
    if (isIndexed || isReserved || path.length > MAX_NAME_LENGTH || UNUSABLE_NAME.test(path)) return;
    const need = exceedsDouble ? 'integer' : (NEEDS[type] ?? 'exact');
    const noted = this.#noted.get(path);
    if (noted === undefined) this.#noted.set(path, { need, multiValued });
    else {
      // Values of several kinds have one field that holds them all.
      if (noted.need !== need) noted.need = 'text';
      noted.multiValued ||= multiValued;
    }
  }

  /** What was noted since the last call, as fields that `schema` lacks and has types for. */
  take(schema: Schema): NewField[] {
    const noted = [...this.#noted];
    this.#noted.clear();
    return noted.flatMap(([name, { need, multiValued }]) => {
      const fieldType = typeFor(schema.fieldTypes, CLASSES[need]);
      // A field of one value that finds an array stays: Solr cannot change it under documents that have it.
      return fieldType === undefined || schema.field(name) !== undefined ? [] : [{ name, type: fieldType.name, multiValued }];
    });
  }
}

function typeFor(types: readonly FieldType[], classes: readonly string[]): FieldType | undefined {
  for (const wanted of classes) {
    const suited = types.filter((type) => type.class.slice(type.class.lastIndexOf('.') + 1) === wanted);
    const type = suited.find(({ name }) => USUAL_NAMES.has(name)) ?? suited[0];
    if (type !== undefined) return type;
  }
  return undefined;
}
