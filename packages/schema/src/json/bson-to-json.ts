// BSON as relaxed Extended JSON, straight from its bytes. Every number is written in full, and a whole double as `3.0`, so that
// a reader that keeps JSON numbers exact loses nothing but the difference between the integers of 32 and of 64 bits.
// https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
import { BsonType } from '../bson/types.js';
import { BsonCursor } from '../bson/walk.js';
import { jsonName, jsonString } from '../key/json-text.js';
import { decimalJson } from '../key/number-key.js';
import { recordKey } from '../key/record-key.js';

/**
 * The document at `start` as JSON text.
 *
 * @throws InvalidBsonError for bytes that are not BSON
 */
export function bsonToJson(source: Buffer, start = 0): string {
  return objectJson(source, start);
}

function valueJson(source: Buffer, type: number, start: number): string {
  switch (type) {
    case BsonType.string:
      return jsonString(source, start);
    case BsonType.double:
      return doubleJson(source.readDoubleLE(start));
    case BsonType.object:
      return objectJson(source, start);
    case BsonType.array:
      return arrayJson(source, start);
    case BsonType.decimal128:
      return decimalJson(source, start);
    case BsonType.symbol:
      return `{"$symbol":${jsonString(source, start)}}`;
    case BsonType.codeWithScope: {
      const scopeStart = start + 8 + source.readInt32LE(start + 4);
      return `{"$code":${jsonString(source, start + 4)},"$scope":${objectJson(source, scopeStart)}}`;
    }
    default:
      // A key's other types are written as values are.
      return recordKey(source, type, start);
  }
}

function objectJson(source: Buffer, start: number): string {
  const cursor = new BsonCursor();
  cursor.enter(source, start);
  let text = '{';
  while (cursor.next()) {
    text += `${text.length > 1 ? ',' : ''}${jsonName(cursor)}:${valueJson(source, cursor.type, cursor.valueStart)}`;
  }
  return `${text}}`;
}

function arrayJson(source: Buffer, start: number): string {
  const cursor = new BsonCursor();
  cursor.enter(source, start);
  let text = '[';
  while (cursor.next()) text += `${text.length > 1 ? ',' : ''}${valueJson(source, cursor.type, cursor.valueStart)}`;
  return `${text}]`;
}

function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `{"$numberDouble":"${Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'}"}`;
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
