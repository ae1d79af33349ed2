// Writes an id as BSON, from the specification (bsonspec.org) and nothing else: the `bson` package cannot write every
// type and bit pattern that a server stores.
import type { Fields, Id } from './id.js';

const TYPES = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal: 0x13,
  decimalBits: 0x13,
  minKey: 0xff,
  maxKey: 0x7f,
} as const satisfies Record<Id['kind'], number>;

const ZERO = Buffer.of(0);

/** A document of these fields. */
export function documentOf(fields: Fields): Buffer {
  const elements = fields.map(([name, value]) => Buffer.concat([Buffer.of(TYPES[value.kind]), name, ZERO, encodeValue(value)]));
  const body = Buffer.concat(elements);
  return Buffer.concat([int32(body.length + 5), body, ZERO]);
}

/** A document whose only field is this `_id`. */
export const documentWithId = (id: Id): Buffer => documentOf([[Buffer.from('_id'), id]]);

/** The bytes of a value, without its type. */
export function encodeValue(id: Id): Buffer {
  switch (id.kind) {
    case 'int32':
      return int32(id.value);
    case 'int64':
      return uint64(BigInt.asUintN(64, id.value));
    case 'double':
      return uint64(id.bits);
    case 'decimal': {
      const high = (id.negative ? 1n << 63n : 0n) | (BigInt(id.exponent + 6176) << 49n) | (id.coefficient >> 64n);
      return Buffer.concat([uint64(BigInt.asUintN(64, id.coefficient)), uint64(high)]);
    }
    case 'decimalBits':
      return Buffer.concat([uint64(id.low), uint64(id.high)]);
    case 'string':
    case 'symbol':
    case 'code':
      return string(id.text);
    case 'object':
      return documentOf(id.fields);
    case 'array':
      return documentOf(id.items.map((item, index) => [Buffer.from(String(index)), item]));
    case 'binary':
      return Buffer.concat([int32(id.bytes.length), Buffer.of(id.subType), id.bytes]);
    case 'objectId':
      return id.bytes;
    case 'boolean':
      return Buffer.of(id.value ? 1 : 0);
    case 'date':
      return uint64(BigInt.asUintN(64, id.ms));
    case 'timestamp':
      return Buffer.concat([uint32(id.i), uint32(id.t)]);
    case 'regex':
      return Buffer.concat([id.pattern, ZERO, id.options, ZERO]);
    case 'codeWithScope': {
      const body = Buffer.concat([string(id.code), documentOf(id.scope)]);
      return Buffer.concat([int32(body.length + 4), body]);
    }
    case 'dbPointer':
      return Buffer.concat([string(id.namespace), id.id]);
    default:
      return Buffer.alloc(0);
  }
}

const string = (text: Buffer): Buffer => Buffer.concat([int32(text.length + 1), text, ZERO]);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
