// A value that a field of Solr would change: its document is refused, with a reason that says which field it is, and no value.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { BsonType } from '@tailwater/schema';
import type { FieldNode } from './field-tree.js';

const TYPE_NAMES = new Map<number, string>(Object.entries(BsonType).map(([name, type]) => [type, name]));
const MAX_PATH = 200;

/** Thrown while a document is written. */
export class UnfitValueError extends Error {
  override readonly name = 'UnfitValueError';
  readonly code = errorCodes.VALUE_DOES_NOT_FIT_FIELD;

  /** @param type the BSON type of the value */
  constructor({ path, type: fieldType }: Pick<FieldNode, 'path' | 'type'>, type: number) {
    const params = { field: path.slice(0, MAX_PATH), type: fieldType, value: TYPE_NAMES.get(type) ?? 'value' };
    super(new TailwaterError(errorCodes.VALUE_DOES_NOT_FIT_FIELD, params).message);
  }
}
