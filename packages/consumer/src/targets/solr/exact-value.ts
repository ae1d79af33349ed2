// A value as a field of its kind gives it back, or not at all: what a field cannot hold exactly is refused, never changed.
import { BsonType } from '@tailwater/schema';
import { Decimal128 } from 'bson';
import { hasFourDigitYear } from '../json/iso-date.js';
import type { JsonBuffer } from '../json/json-buffer.js';
import { writeQuoted, writeScalar } from '../json/write-scalar.js';
import { exactNumber, fitsFloat, isInteger, type NumericKind } from './exact-decimal.js';
import { farDate } from './far-date.js';
import type { ValueKind } from './value-kind.js';

/** What Solr gives back as it was: to the millisecond, in UTC, without date arithmetic. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
const SECONDS = 'YYYY-MM-DDTHH:MM:SS'.length;
const UUID_TEXT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UUID = 0x04;
const TWO_TO_31 = 2 ** 31;
const TWO_TO_63 = 2 ** 63;

/** Writes the value `source[start, end)`, a single one and finite; false when a field of the kind cannot hold it. */
export function writeExactly(out: JsonBuffer, kind: ValueKind, source: Buffer, type: number, start: number, end: number): boolean {
  if (kind === 'any') {
    if (type === BsonType.date) writeDate(out, source, start, end);
    else writeScalar(out, source, type, start, end);
    return true;
  }
  switch (kind) {
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return writeNumber(out, kind, source, type, start, end);
    case 'date':
      if (type === BsonType.date) {
        writeDate(out, source, start, end);
        return true;
      }
      return isText(type) && writeText(out, source, type, start, end, isDate);
    case 'boolean':
      if (type === BsonType.boolean) writeScalar(out, source, type, start, end);
      else return isText(type) && writeText(out, source, type, start, end, isBoolean);
      return true;
    case 'enum':
      if (type !== BsonType.int32 && !isText(type)) return false;
      writeScalar(out, source, type, start, end);
      return true;
    case 'uuid':
      if (type !== BsonType.binary || source[start + 4] !== UUID || source.readInt32LE(start) !== 16)
        return isText(type) && writeText(out, source, type, start, end, (text) => UUID_TEXT.test(text));
      writeScalar(out, source, type, start, end);
      return true;
    case 'base64':
      if (type !== BsonType.binary || source[start + 4] === UUID) return isText(type) && writeText(out, source, type, start, end, isBase64);
      writeScalar(out, source, type, start, end);
      return true;
  }
}

/** Whether a field of the kind holds an unsigned number of 32 bits. */
export const holdsUint32 = (kind: ValueKind, value: number): boolean => {
  if (kind === 'int') return value < TWO_TO_31;
  if (kind === 'float') return fitsFloat(value);
  return kind === 'long' || kind === 'double' || kind === 'any';
};

function writeNumber(out: JsonBuffer, kind: NumericKind, source: Buffer, type: number, start: number, end: number): boolean {
  switch (type) {
    case BsonType.int32:
      if (kind === 'float' && !fitsFloat(source.readInt32LE(start))) return false;
      break;
    case BsonType.double:
      if (!fitsDouble(source.readDoubleLE(start), kind)) return false;
      break;
    case BsonType.int64:
      if (!fitsInt64(source.readBigInt64LE(start), kind)) return false;
      break;
    case BsonType.decimal128:
      return writeDigits(out, exactNumber(new Decimal128(Uint8Array.from(source.subarray(start, end))).toString(), kind));
    default:
      return isText(type) && writeDigits(out, exactNumber(textOf(source, start, end), kind));
  }
  writeScalar(out, source, type, start, end);
  return true;
}

function fitsDouble(value: number, kind: NumericKind): boolean {
  if (kind === 'double') return true;
  if (kind === 'float') return fitsFloat(value);
  const bound = kind === 'int' ? TWO_TO_31 : TWO_TO_63;
  return Number.isInteger(value) && value >= -bound && value < bound;
}

function fitsInt64(value: bigint, kind: NumericKind): boolean {
  if (kind === 'int' || kind === 'long') return isInteger(value, kind);
  const near = Number(value);
  return BigInt(near) === value && (kind === 'double' || fitsFloat(near));
}

function writeDigits(out: JsonBuffer, digits: string | undefined): boolean {
  if (digits !== undefined) out.ascii(digits);
  return digits !== undefined;
}

function writeText(out: JsonBuffer, source: Buffer, type: number, start: number, end: number, fits: (text: string) => boolean): boolean {
  if (!fits(textOf(source, start, end))) return false;
  writeScalar(out, source, type, start, end);
  return true;
}

function writeDate(out: JsonBuffer, source: Buffer, start: number, end: number): void {
  const ms = source.readInt32LE(start + 4) * 0x1_0000_0000 + source.readUInt32LE(start);
  if (hasFourDigitYear(ms)) writeScalar(out, source, BsonType.date, start, end);
  else writeQuoted(out, farDate(source.readBigInt64LE(start)));
}

const isText = (type: number): boolean => type === BsonType.string || type === BsonType.symbol;
const textOf = (source: Buffer, start: number, end: number): string => source.toString('utf8', start + 4, end - 1);
const isBoolean = (text: string): boolean => text === 'true' || text === 'false';
const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;

/** `2023-02-30` is not a date: Solr may take it for the second of March. */
function isDate(text: string): boolean {
  const ms = DATE.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, SECONDS) === text.slice(0, SECONDS);
}
