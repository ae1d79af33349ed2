// An `_id` out of raw BSON as a value of the driver's, type and all, to query by.
import { BsonType } from '@tailwater/schema';
import { BSON, ObjectId } from 'mongodb';

const NAME = Buffer.from('_id\0');

/** Wraps the raw value as the BSON document `{_id: value}`. */
export function idDocument(source: Buffer, type: number, start: number, end: number): Buffer {
  const document = Buffer.allocUnsafe(4 + 1 + NAME.length + (end - start) + 1);
  document.writeInt32LE(document.length, 0);
  document[4] = type;
  NAME.copy(document, 5);
  source.copy(document, 5 + NAME.length, start, end);
  document[document.length - 1] = 0;
  return document;
}

/** The value itself; numbers keep their BSON types. */
export function idValue(source: Buffer, type: number, start: number, end: number): unknown {
  if (type === BsonType.objectId) return new ObjectId(Uint8Array.prototype.slice.call(source, start, end));
  return idOf(idDocument(source, type, start, end));
}

/** The `_id` of what `idDocument` made. */
export function idOf(document: Uint8Array): unknown {
  return BSON.deserialize(document, { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true })['_id'];
}
