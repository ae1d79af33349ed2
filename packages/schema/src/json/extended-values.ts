// The values that JSON lacks and Extended JSON writes as objects, canonical and relaxed: `{"$oid": …}`, `{"$date": …}`.
import { Decimal128 } from 'bson';
import { BsonType } from '../bson/types.js';
import type { GrowingBuffer } from './growing-buffer.js';
import type { JsonScanner } from './json-scanner.js';

type Fields = Readonly<Record<string, unknown>>;
/** Writes the value's bytes and returns its type; undefined when it is not one. */
type Writer = (out: GrowingBuffer, value: never, whole: Fields) => number | undefined;

const HEX_ID = /^[0-9a-fA-F]{24}$/;
const INTEGER = /^-?\d{1,19}$/;
const UUID = /^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/;

/** @throws InvalidJsonError when it is no Extended JSON value */
export function writeExtended(out: GrowingBuffer, value: unknown, scanner: JsonScanner): number {
  const whole = value as Fields;
  const [name = ''] = Object.keys(whole);
  const writer = Object.hasOwn(WRITERS, name)
    ? (WRITERS[name] as (out: GrowingBuffer, value: unknown, whole: Fields) => number | undefined)
    : undefined;
  const type = writer?.(out, whole[name], whole);
  return type ?? scanner.fail(`an Extended JSON value instead of ${name}`);
}

const WRITERS: Readonly<Record<string, Writer>> = {
  $oid: (out, hex: unknown) => {
    if (typeof hex !== 'string' || !HEX_ID.test(hex)) return undefined;
    out.bytes(Buffer.from(hex, 'hex'));
    return BsonType.objectId;
  },
  $date: (out, date: unknown) => {
    const milliseconds = typeof date === 'string' ? isoMilliseconds(date) : integerOf((date as Fields | null)?.['$numberLong']);
    if (milliseconds === undefined) return undefined;
    out.int64(milliseconds);
    return BsonType.date;
  },
  $numberDecimal: (out, text: unknown) => {
    const decimal = attempt(() => Decimal128.fromString(String(text)));
    if (decimal === undefined) return undefined;
    out.bytes(decimal.bytes);
    return BsonType.decimal128;
  },
  $numberLong: (out, text: unknown) => {
    const integer = integerOf(text);
    if (integer === undefined) return undefined;
    out.int64(integer);
    return BsonType.int64;
  },
  $numberInt: (out, text: unknown) => {
    const integer = integerOf(text);
    if (integer === undefined || integer !== BigInt.asIntN(32, integer)) return undefined;
    out.int32(Number(integer));
    return BsonType.int32;
  },
  $numberDouble: (out, text: unknown) => {
    if (typeof text !== 'string' || text === '' || (Number.isNaN(Number(text)) && text !== 'NaN')) return undefined;
    out.double(Number(text));
    return BsonType.double;
  },
  $binary: (out, binary: unknown) => {
    const { base64, subType } = (binary ?? {}) as Fields;
    if (typeof base64 !== 'string' || typeof subType !== 'string' || !/^[0-9a-fA-F]{1,2}$/.test(subType)) return undefined;
    return binaryOf(out, Buffer.from(base64, 'base64'), Number.parseInt(subType, 16));
  },
  $uuid: (out, text: unknown) => {
    if (typeof text !== 'string' || !UUID.test(text)) return undefined;
    return binaryOf(out, Buffer.from(text.replaceAll('-', ''), 'hex'), 4);
  },
  $timestamp: (out, timestamp: unknown) => {
    const { t, i } = (timestamp ?? {}) as Fields;
    if (!isUint32(t) || !isUint32(i)) return undefined;
    out.int64(BigInt.asIntN(64, (BigInt(t) << 32n) | BigInt(i)));
    return BsonType.timestamp;
  },
  $regularExpression: (out, regex: unknown) => {
    const { pattern, options } = (regex ?? {}) as Fields;
    const parts = [bytesOf(pattern), bytesOf(options)];
    if (parts.some((part) => part === undefined || part.includes(0))) return undefined;
    for (const part of parts) {
      out.bytes(part as Buffer);
      out.byte(0);
    }
    return BsonType.regex;
  },
  $symbol: (out, text: unknown) => {
    const bytes = bytesOf(text);
    if (bytes === undefined) return undefined;
    out.string(bytes);
    return BsonType.symbol;
  },
  $invalidUtf8: (out, base64: unknown) => {
    if (typeof base64 !== 'string') return undefined;
    out.string(Buffer.from(base64, 'base64'));
    return BsonType.string;
  },
  $dbPointer: (out, pointer: unknown) => {
    const { $ref, $id } = (pointer ?? {}) as Fields;
    const [name, hex] = [bytesOf($ref), ($id as Fields | null | undefined)?.['$oid']];
    if (name === undefined || typeof hex !== 'string' || !HEX_ID.test(hex)) return undefined;
    out.string(name);
    out.bytes(Buffer.from(hex, 'hex'));
    return BsonType.dbPointer;
  },
  $undefined: () => BsonType.undefined,
  $minKey: () => BsonType.minKey,
  $maxKey: () => BsonType.maxKey,
};

function binaryOf(out: GrowingBuffer, bytes: Buffer, subType: number): number {
  out.int32(bytes.length);
  out.byte(subType);
  out.bytes(bytes);
  return BsonType.binary;
}

/** A text, or the bytes of one that is not UTF-8. */
export function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  const base64 = (value as Fields | null | undefined)?.['$invalidUtf8'];
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}

function integerOf(text: unknown): bigint | undefined {
  if (typeof text !== 'string' || !INTEGER.test(text)) return undefined;
  const integer = BigInt(text);
  return integer === BigInt.asIntN(64, integer) ? integer : undefined;
}

function isoMilliseconds(text: string): bigint | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds);
}

const isUint32 = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
