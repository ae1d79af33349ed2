// An `_id` out of raw BSON as a value that the driver writes as the same bytes again, to query by.
import { isUtf8 } from 'node:buffer';
import { BsonCursor, BsonType, findId, readString } from '@tailwater/schema';
import { BSON, Double, Int32, Long, ObjectId } from 'mongodb';

const NAME = Buffer.from('_id\0');
const NO_ID = '0'.repeat(24);
/** The largest distance from 1970 that a JavaScript date has, in milliseconds. */
const LAST_DATE_MS = 8_640_000_000_000_000n;

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

/**
 * The value itself; numbers keep their BSON types, and documents the order of their fields. What the driver has no value for (text
 * that is not UTF-8, dates beyond JavaScript's, a document with a name twice, the deprecated DBPointer) is written by its bytes.
 *
 * @returns undefined for an id that no query takes, which no document has
 */
export function idValue(source: Buffer, type: number, start: number, end: number): unknown {
  const known = knownValue(source, type, start, end);
  return known === undefined && type !== BsonType.undefined ? rawValue(source, type, start, end) : known;
}

function knownValue(source: Buffer, type: number, start: number, end: number): unknown {
  switch (type) {
    case BsonType.objectId:
      return new ObjectId(Uint8Array.prototype.slice.call(source, start, end));
    case BsonType.string:
      return isUtf8(source.subarray(start + 4, end - 1)) ? readString(source, start) : undefined;
    case BsonType.int32:
      return new Int32(source.readInt32LE(start));
    case BsonType.int64:
      return Long.fromBigInt(source.readBigInt64LE(start));
    case BsonType.double:
      return new Double(source.readDoubleLE(start));
    case BsonType.object:
      return documentValue(source, start);
    case BsonType.array:
      return documentValue(source, start, (fields) => [...fields.values()]);
    default:
      return rareValue(source, type, start, end);
  }
}

/** Undefined where the installed driver writes it otherwise than it is meant to: an id that is not its bytes finds another document. */
function rawValue(source: Buffer, type: number, start: number, end: number): unknown {
  const value = new RawId(type, Buffer.from(source.subarray(start, end)));
  try {
    return idDocument(source, type, start, end).equals(BSON.serialize({ _id: value })) ? value : undefined;
  } catch {
    return undefined; // Larger than what the driver sends at once.
  }
}

/**
 * Any value by its bytes. The driver's writer puts the type of an ObjectId and the element's name, and asks the value for the rest:
 * this one gives bytes of its own, and corrects the type. Names of elements in our queries have no byte of that type.
 */
class RawId extends ObjectId {
  readonly #type: number;
  readonly #bytes: Buffer;

  constructor(type: number, bytes: Buffer) {
    super(NO_ID);
    this.#type = type;
    this.#bytes = bytes;
  }

  serializeInto(out: Uint8Array, index: number): number {
    if (index + this.#bytes.length > out.length) throw new RangeError('No room for the _id');
    out[out.lastIndexOf(BsonType.objectId, index - 1)] = this.#type;
    out.set(this.#bytes, index);
    return this.#bytes.length;
  }
}

/** The `_id` of what `idDocument` made; undefined as `idValue` says. */
export function idOf(document: Buffer): unknown {
  const id = findId(document);
  return id === undefined ? undefined : idValue(document, id.type, id.start, id.end);
}

type Fields = Map<string, unknown>;

/** A map, because an object would put fields first whose names look like integers, and take some documents for references. */
function documentValue(source: Buffer, start: number, finish: (fields: Fields) => unknown = (fields) => fields): unknown {
  const cursor = new BsonCursor();
  cursor.enter(source, start);
  const fields: Fields = new Map();
  while (cursor.next()) {
    const name = cursor.name();
    const value = knownValue(source, cursor.type, cursor.valueStart, cursor.valueEnd);
    if (value === undefined || fields.has(name) || !isUtf8(source.subarray(cursor.nameStart, cursor.nameEnd))) return undefined;
    fields.set(name, value);
  }
  return finish(fields);
}

/** Every other type goes through the driver's own reader, and counts if its writer gives the same bytes. */
function rareValue(source: Buffer, type: number, start: number, end: number): unknown {
  if (type === BsonType.date && !isJavaScriptDate(source.readBigInt64LE(start))) return undefined;
  const document = idDocument(source, type, start, end);
  try {
    const value: unknown = BSON.deserialize(document, { promoteValues: false, promoteBuffers: false, bsonRegExp: true })['_id'];
    return document.equals(BSON.serialize({ _id: value }, { ignoreUndefined: false })) ? value : undefined;
  } catch (error) {
    if (error instanceof BSON.BSONError) return undefined;
    throw error;
  }
}

const isJavaScriptDate = (milliseconds: bigint): boolean => milliseconds >= -LAST_DATE_MS && milliseconds <= LAST_DATE_MS;
