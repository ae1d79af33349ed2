// Fields for `--solr-schema add`: what a schema lacks, with the type of the value that was seen first.
// https://solr.apache.org/guide/solr/latest/indexing-guide/schema-api.html#add-a-new-field
import { BsonType } from '@tailwater/schema';
import type { FieldNode } from './field-tree.js';
import type { FieldType, Schema } from './schema.js';

/** Classes of field types that suit a value, the best first. Text is tokenised: a string field refuses values over 32,766 bytes. */
const TEXT = ['solr.TextField', 'solr.SortableTextField', 'solr.StrField'];
const EXACT = ['solr.StrField', ...TEXT];
const CLASSES: Readonly<Record<number, readonly string[]>> = {
  [BsonType.string]: TEXT,
  [BsonType.symbol]: TEXT,
  [BsonType.code]: TEXT,
  // Base64 of any length.
  [BsonType.binary]: TEXT,
  [BsonType.double]: ['solr.DoublePointField', 'solr.FloatPointField'],
  [BsonType.int32]: ['solr.LongPointField', 'solr.IntPointField'],
  [BsonType.int64]: ['solr.LongPointField'],
  [BsonType.boolean]: ['solr.BoolField'],
  [BsonType.date]: ['solr.DatePointField'],
};
/** Where several types are of one class: those of Solr's own schemas. */
const USUAL_NAMES = new Set(['text_general', 'string', 'plong', 'pdouble', 'boolean', 'pdate']);

export interface NewField {
  readonly name: string;
  readonly type: string;
  readonly multiValued: boolean;
}

export class NewFields {
  readonly #types = new Map<string, { readonly type: number; readonly multiValued: boolean }>();

  get size(): number {
    return this.#types.size;
  }

  /** Notes a field. One inside an array's elements is none: each length of an array would add fields without end. */
  note({ path, isIndexed, isReserved }: FieldNode, type: number, multiValued: boolean): void {
    if (isIndexed || isReserved || path === '' || this.#types.has(path)) return;
    this.#types.set(path, { type, multiValued });
  }

  /** What was noted since the last call, as fields that `schema` lacks and has types for. */
  take(schema: Schema): NewField[] {
    const noted = [...this.#types];
    this.#types.clear();
    return noted.flatMap(([name, { type, multiValued }]) => {
      const fieldType = typeFor(schema.fieldTypes, CLASSES[type] ?? EXACT);
      // A field of one value that finds an array stays: Solr cannot change it under documents that have it.
      return fieldType === undefined || schema.field(name) !== undefined ? [] : [{ name, type: fieldType.name, multiValued }];
    });
  }
}

function typeFor(types: readonly FieldType[], classes: readonly string[]): FieldType | undefined {
  for (const wanted of classes) {
    const suited = types.filter((type) => type.class === wanted || type.class.endsWith(`.${wanted.slice('solr.'.length)}`));
    const type = suited.find(({ name }) => USUAL_NAMES.has(name)) ?? suited[0];
    if (type !== undefined) return type;
  }
  return undefined;
}
