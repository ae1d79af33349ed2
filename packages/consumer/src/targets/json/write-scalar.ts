// A BSON value that JSON says as one number, string, boolean or null, straight from bytes to bytes: the same text for every
// target that takes JSON. Objects, arrays, and the types that become objects are the target's.
import { BsonType, cStringEnd } from '@tailwater/schema';
import { Decimal128 } from 'bson';
import { hasFourDigitYear, writeIsoDate } from './iso-date.js';
import type { JsonBuffer } from './json-buffer.js';

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;

const UUID = 0x04;
const OLD_BINARY = 0x02;

/** Writes the value `source[start, end)` of a type that has one value; a double must be finite. */
export function writeScalar(out: JsonBuffer, source: Buffer, type: number, start: number, end: number): void {
  switch (type) {
    case BsonType.string:
      out.string(source, start + 4, end - 1);
      return;
    case BsonType.int32:
      out.integer(source.readInt32LE(start));
      return;
    case BsonType.double:
      writeDouble(out, source.readDoubleLE(start));
      return;
    case BsonType.objectId:
      writeQuoted(out, source.toString('hex', start, end));
      return;
    case BsonType.date:
      writeDate(out, source, start);
      return;
    case BsonType.boolean:
      out.ascii(source[start] === 0 ? 'false' : 'true');
      return;
    case BsonType.null:
    case BsonType.undefined:
      out.ascii('null');
      return;
    case BsonType.int64:
      writeInt64(out, source, start);
      return;
    default:
      writeRare(out, source, type, start, end);
      return;
  }
}

/** A double is NaN or infinite exactly when all eleven bits of its exponent are set. */
export function isFiniteAt(source: Buffer, start: number): boolean {
  return ((source[start + 7] as number) & 0x7f) !== 0x7f || ((source[start + 6] as number) & 0xf0) !== 0xf0;
}

/** A string of ASCII characters that need no escape. */
export function writeQuoted(out: JsonBuffer, ascii: string): void {
  out.ensure(ascii.length + 2);
  out.byte(QUOTE);
  out.ascii(ascii);
  out.byte(QUOTE);
}

function writeDouble(out: JsonBuffer, value: number): void {
  // Prices and the like: a number of so few digits is its own shortest text, and needs no general conversion.
  const cents = Math.round(value * 100);
  if (cents / 100 === value && Math.abs(cents) < 0x7fff_ffff && cents !== 0) {
    writeCents(out, cents);
    return;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  out.ascii(text);
  if (Number.isInteger(value) && !text.includes('e')) out.ascii('.0');
}

/** `n / 100` for an integer n of 31 bits, with one decimal at least. */
function writeCents(out: JsonBuffer, n: number): void {
  const rest = Math.abs(n);
  const whole = (rest / 100) | 0;
  const decimals = rest - whole * 100;
  out.ensure(14);
  if (n < 0) out.byte(MINUS);
  out.integer(whole);
  out.byte(POINT);
  if (decimals % 10 === 0) out.padded(decimals / 10, 1);
  else out.padded(decimals, 2);
}

function writeInt64(out: JsonBuffer, source: Buffer, start: number): void {
  const high = source.readInt32LE(start + 4);
  if (high < 0x20_0000 && high >= -0x20_0000) out.integer(high * 0x1_0000_0000 + source.readUInt32LE(start));
  else out.ascii(source.readBigInt64LE(start).toString());
}

function writeDate(out: JsonBuffer, source: Buffer, start: number): void {
  const ms = source.readInt32LE(start + 4) * 0x1_0000_0000 + source.readUInt32LE(start);
  if (hasFourDigitYear(ms)) writeIsoDate(out, ms);
  else writeInt64(out, source, start);
}

function writeRare(out: JsonBuffer, source: Buffer, type: number, start: number, end: number): void {
  switch (type) {
    case BsonType.decimal128:
      writeQuoted(out, new Decimal128(Uint8Array.from(source.subarray(start, end))).toString());
      return;
    case BsonType.binary:
      writeBinary(out, source, start, end);
      return;
    case BsonType.symbol:
    case BsonType.code:
      out.string(source, start + 4, end - 1);
      return;
    case BsonType.regex: {
      const patternEnd = cStringEnd(source, start);
      out.text(`/${source.toString('utf8', start, patternEnd)}/${source.toString('utf8', patternEnd + 1, end - 1)}`);
      return;
    }
    default:
      // The walk has refused every type that the specification does not know.
      writeQuoted(out, type === BsonType.minKey ? 'MinKey' : 'MaxKey');
      return;
  }
}

function writeBinary(out: JsonBuffer, source: Buffer, start: number, end: number): void {
  const subType = source[start + 4] as number;
  // Subtype 2 repeats its length inside: https://bsonspec.org/spec.html
  const bytesStart = start + 5 + (subType === OLD_BINARY ? 4 : 0);
  if (subType === UUID && end - bytesStart === 16) {
    const hex = source.toString('hex', bytesStart, end);
    writeQuoted(out, `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`);
    return;
  }
  writeQuoted(out, source.toString('base64', bytesStart, end));
}
