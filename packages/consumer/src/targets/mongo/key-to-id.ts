// The `_id` value that a record key stands for, as BSON: what a delete matches by. A number's type is not in the key, because
// MongoDB holds equal numbers equal whatever their type; everything else comes back as it was.

import { BsonType } from '@tailwater/schema';
import { Decimal128 } from 'bson';
import { InvalidKeyError, type KeyNode, parseKey } from './key-json.js';

export interface BsonValue {
  readonly type: number;
  readonly bytes: Buffer;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const NOTHING = Buffer.alloc(0);

/** @throws InvalidKeyError for a key that the producer does not write */
export function keyToId(key: string): BsonValue {
  return toBson(parseKey(key));
}

function toBson(node: KeyNode): BsonValue {
  switch (node.kind) {
    case 'string':
      return { type: BsonType.string, bytes: stringBytes(Buffer.from(node.text, 'utf8')) };
    case 'number':
      return numberOf(node.text);
    case 'word':
      return node.text === 'null'
        ? { type: BsonType.null, bytes: NOTHING }
        : { type: BsonType.boolean, bytes: Buffer.from([Number(node.text === 'true')]) };
    case 'array':
      return { type: BsonType.array, bytes: documentBytes(node.elements.map((element, index) => [String(index), element])) };
    case 'object':
      return specialOf(node.members) ?? { type: BsonType.object, bytes: documentBytes(node.members) };
  }
}

function numberOf(text: string): BsonValue {
  if (/^-?\d+$/.test(text)) {
    const integer = BigInt(text);
    if (integer >= INT64_MIN && integer <= INT64_MAX) return int64(integer, BsonType.int64);
  }
  return doubleOf(Number(text));
}

/** Extended JSON's `{"$oid": …}` and its like; undefined for a plain document, whose own `$` names are written `$$`. */
function specialOf(members: readonly (readonly [string, KeyNode])[]): BsonValue | undefined {
  const [name, value] = members[0] ?? ['', undefined];
  if (!name.startsWith('$') || name.startsWith('$$') || value === undefined) return undefined;
  switch (name) {
    case '$oid':
      return { type: BsonType.objectId, bytes: Buffer.from(textOf(value), 'hex') };
    case '$date':
      return int64(value.kind === 'string' ? BigInt(Date.parse(value.text)) : BigInt(textOf(member(value, '$numberLong'))), BsonType.date);
    case '$numberDouble':
      return doubleOf(Number(textOf(value)));
    case '$numberDecimal':
      return { type: BsonType.decimal128, bytes: Buffer.from(Decimal128.fromString(textOf(value)).bytes) };
    case '$binary':
      return binaryOf(Buffer.from(textOf(member(value, 'base64')), 'base64'), Number.parseInt(textOf(member(value, 'subType')), 16));
    case '$timestamp':
      return int64((BigInt(textOf(member(value, 't'))) << 32n) | BigInt(textOf(member(value, 'i'))), BsonType.timestamp);
    case '$invalidUtf8':
      return { type: BsonType.string, bytes: stringBytes(Buffer.from(textOf(value), 'base64')) };
    case '$undefined':
      return { type: BsonType.undefined, bytes: NOTHING };
    case '$minKey':
      return { type: BsonType.minKey, bytes: NOTHING };
    case '$maxKey':
      return { type: BsonType.maxKey, bytes: NOTHING };
    case '$regularExpression':
      return { type: BsonType.regex, bytes: Buffer.from(`${textOf(member(value, 'pattern'))}\0${textOf(member(value, 'options'))}\0`) };
    case '$code':
      return codeOf(textOf(value), members[1]?.[1]);
    case '$dbPointer':
      return {
        type: BsonType.dbPointer,
        bytes: Buffer.concat([stringBytes(Buffer.from(textOf(member(value, '$ref')))), toBson(member(value, '$id')).bytes]),
      };
    default:
      throw new InvalidKeyError(`The record key holds ${name}, which this release does not know`);
  }
}

function member(node: KeyNode, name: string): KeyNode {
  const found = node.kind === 'object' ? node.members.find(([each]) => each === name) : undefined;
  if (found === undefined) throw new InvalidKeyError(`The record key holds Extended JSON without ${name}`);
  return found[1];
}

function textOf(node: KeyNode): string {
  if (node.kind === 'object' || node.kind === 'array') throw new InvalidKeyError('The record key holds Extended JSON of an unknown shape');
  return node.text;
}

function documentBytes(members: readonly (readonly [string, KeyNode])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, node] of members) {
    const { type, bytes } = toBson(node);
    parts.push(Buffer.from([type]), Buffer.from(`${name.startsWith('$$') ? name.slice(1) : name}\0`, 'utf8'), bytes);
  }
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32LE(body.length + 5);
  return Buffer.concat([length, body, Buffer.alloc(1)]);
}

function stringBytes(text: Buffer): Buffer {
  const bytes = Buffer.alloc(text.length + 5);
  bytes.writeInt32LE(text.length + 1);
  text.copy(bytes, 4);
  return bytes;
}

function binaryOf(content: Buffer, subType: number): BsonValue {
  const header = Buffer.alloc(5);
  header.writeInt32LE(content.length);
  header[4] = subType;
  return { type: BsonType.binary, bytes: Buffer.concat([header, content]) };
}

function codeOf(code: string, scope: KeyNode | undefined): BsonValue {
  const text = stringBytes(Buffer.from(code, 'utf8'));
  if (scope?.kind !== 'object') return { type: BsonType.code, bytes: text };
  const body = Buffer.concat([text, documentBytes(scope.members)]);
  const length = Buffer.alloc(4);
  length.writeInt32LE(body.length + 4);
  return { type: BsonType.codeWithScope, bytes: Buffer.concat([length, body]) };
}

function int64(value: bigint, type: number): BsonValue {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return { type, bytes };
}

function doubleOf(value: number): BsonValue {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return { type: BsonType.double, bytes };
}
