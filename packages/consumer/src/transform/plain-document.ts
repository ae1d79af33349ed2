// Documents as the JavaScript objects that a user's function gets, in a way that nothing it does not touch changes its type on the
// way back: int32 and fractions are numbers, an int64 is a BigInt, a whole double (2.0) stays a Double, which calculates as a number does.
// What objects cannot hold is lost: names that come twice, the order of integer-like names, undefined.
import { BSON, type Document, Double, Int32, Long } from 'bson';

export function toObject(document: Buffer): Document {
  return plain(BSON.deserialize(document, { promoteValues: false, bsonRegExp: true })) as Document;
}

export function toBson(document: Document): Buffer {
  return Buffer.from(BSON.serialize(document, { ignoreUndefined: true }));
}

function plain(value: unknown): unknown {
  if (value instanceof Int32) return value.value;
  if (value instanceof Double) return Number.isInteger(value.value) ? value : value.value;
  if (Long.isLong(value) && (value as { _bsontype?: string })._bsontype === 'Long') return value.toBigInt();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const [name, member] of Object.entries(value)) Object.defineProperty(value, name, { value: plain(member), ...OWN });
  return value;
}

/** Also of a field called `__proto__`. */
const OWN = { writable: true, enumerable: true, configurable: true } as const;
