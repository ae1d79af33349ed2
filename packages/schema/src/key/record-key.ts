// The key of a record: a document's `_id` as relaxed Extended JSON, which any Kafka tool can read. Two ids that MongoDB
// holds equal give the same text, two that it holds different never do, so one document has one partition (promise B).
// https://github.com/mongodb/specifications/blob/master/source/extended-json.md
import { BSON } from 'bson';
import { BsonType } from '../bson/types.js';
import { BsonCursor, cStringEnd, findId, InvalidBsonError } from '../bson/walk.js';
import { jsonName, jsonString, jsonText } from './json-text.js';
import { decimalKey, doubleKey } from './number-key.js';

const LAST_ISO_MILLISECOND = 253_402_300_799_999;

/**
 * The key of the `_id` value of `type` at `start` in raw BSON, where a walk found it: that it lies within the buffer is already checked.
 *
 * @throws InvalidBsonError for a type or a nested value that is not BSON
 */
export function recordKey(source: Buffer, type: number, start: number): string {
  switch (type) {
    case BsonType.objectId:
      return `{"$oid":"${source.toString('hex', start, start + 12)}"}`;
    case BsonType.string:
    case BsonType.symbol: // MongoDB's index holds a symbol equal to the string of the same characters.
      return jsonString(source, start);
    case BsonType.int32:
      return String(source.readInt32LE(start));
    case BsonType.int64:
      return source.readBigInt64LE(start).toString();
    case BsonType.double:
      return doubleKey(source.readDoubleLE(start));
    case BsonType.decimal128:
      return decimalKey(source, start);
    case BsonType.object:
      return objectKey(source, start);
    case BsonType.array:
      return arrayKey(source, start);
    case BsonType.binary:
      return binaryKey(source, start);
    case BsonType.date:
      return dateKey(source.readBigInt64LE(start));
    default:
      return rareKey(source, type, start);
  }
}

/** The key of an `_id` given as a value of the `bson` package, as commands that name single ids need it. */
export function recordKeyOf(id: unknown): string {
  const source = Buffer.from(BSON.serialize({ _id: id }, { ignoreUndefined: false }));
  const found = findId(source);
  if (found === undefined) throw new InvalidBsonError('No _id in the document');
  return recordKey(source, found.type, found.start);
}

function objectKey(source: Buffer, start: number): string {
  const cursor = new BsonCursor();
  cursor.enter(source, start);
  const members: string[] = [];
  while (cursor.next()) members.push(`${jsonName(cursor)}:${recordKey(source, cursor.type, cursor.valueStart)}`);
  return `{${members.join(',')}}`;
}

function arrayKey(source: Buffer, start: number): string {
  const cursor = new BsonCursor();
  cursor.enter(source, start);
  const elements: string[] = [];
  while (cursor.next()) elements.push(recordKey(source, cursor.type, cursor.valueStart));
  return `[${elements.join(',')}]`;
}

function binaryKey(source: Buffer, start: number): string {
  const subType = source[start + 4] as number;
  const bytes = source.subarray(start + 5, start + 5 + source.readInt32LE(start));
  return `{"$binary":{"base64":"${bytes.toString('base64')}","subType":"${subType.toString(16).padStart(2, '0')}"}}`;
}

function dateKey(milliseconds: bigint): string {
  const asNumber = Number(milliseconds);
  if (asNumber < 0 || asNumber > LAST_ISO_MILLISECOND) return `{"$date":{"$numberLong":"${milliseconds}"}}`;
  const iso = new Date(asNumber).toISOString();
  return `{"$date":"${asNumber % 1000 === 0 ? iso.replace('.000Z', 'Z') : iso}"}`;
}

function rareKey(source: Buffer, type: number, start: number): string {
  switch (type) {
    case BsonType.null:
      return 'null';
    case BsonType.boolean:
      return source[start] === 0 ? 'false' : 'true';
    case BsonType.undefined:
      return '{"$undefined":true}';
    case BsonType.minKey:
      return '{"$minKey":1}';
    case BsonType.maxKey:
      return '{"$maxKey":1}';
    case BsonType.timestamp:
      return `{"$timestamp":{"t":${source.readUInt32LE(start + 4)},"i":${source.readUInt32LE(start)}}}`;
    case BsonType.regex: {
      const patternEnd = cStringEnd(source, start);
      const pattern = jsonText(source, start, patternEnd);
      return `{"$regularExpression":{"pattern":${pattern},"options":${jsonText(source, patternEnd + 1, cStringEnd(source, patternEnd + 1))}}}`;
    }
    case BsonType.code:
      return `{"$code":${jsonString(source, start)}}`;
    case BsonType.codeWithScope: {
      const codeStart = start + 4;
      const scopeStart = codeStart + 4 + source.readInt32LE(codeStart);
      return `{"$code":${jsonString(source, codeStart)},"$scope":${objectKey(source, scopeStart)}}`;
    }
    case BsonType.dbPointer: {
      const idStart = start + 4 + source.readInt32LE(start);
      return `{"$dbPointer":{"$ref":${jsonString(source, start)},"$id":{"$oid":"${source.toString('hex', idStart, idStart + 12)}"}}}`;
    }
    default:
      throw new InvalidBsonError(`BSON type 0x${type.toString(16)} cannot be part of a key`);
  }
}
