// A BSON document as JSON, straight from bytes to bytes, in the field order of the document.
import { BsonType, cStringEnd, valueSize } from '@tailwater/schema';
import type { JsonBuffer } from '../json/json-buffer.js';
import { isFiniteAt, writeScalar } from '../json/write-scalar.js';
import { fieldName, isSuspicious } from './field-name.js';

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * What arrives, by BSON type:
 *
 * | BSON | JSON |
 * |---|---|
 * | double | number, with `.0` when integral so that dynamic mapping makes it a float; NaN and Infinity are left out (`null` in an array) and counted |
 * | int32, int64 | integer, every digit exact |
 * | decimal128 | string, every digit exact |
 * | string, symbol | string; bytes that are not UTF-8 replaced |
 * | ObjectId | string of 24 hex digits |
 * | date | string `2024-02-29T12:00:00.000Z`, years -9999 to 9999; beyond them milliseconds since the epoch, a number, which date fields take too (and they take no longer years) |
 * | boolean, null | the same |
 * | undefined | null |
 * | binary | base64 string; a UUID (subtype 4) its hyphenated text |
 * | regex | string `/pattern/options` |
 * | timestamp | `{"t": seconds, "i": increment}` |
 * | code | string; with scope `{"code": …, "scope": {…}}` |
 * | DBPointer | `{"$ref": …, "$id": hex}`, the shape of a DBRef |
 * | MinKey, MaxKey | the strings `MinKey`, `MaxKey` |
 */
export class BsonToJson {
  /** How many NaN and infinite numbers were left out so far. */
  droppedValues = 0;
  readonly #out: JsonBuffer;

  constructor(out: JsonBuffer) {
    this.#out = out;
  }

  /**
   * Writes a whole document without its top-level `_id`, which is the id of the target's document.
   *
   * @throws InvalidBsonError for bytes that are not BSON
   */
  document(source: Buffer): void {
    this.#object(source, 0, true);
  }

  #object(source: Buffer, start: number, topLevel: boolean): void {
    const out = this.#out;
    const end = start + source.readInt32LE(start) - 1;
    out.ensure(2);
    out.byte(OPEN_OBJECT);
    let first = true;
    for (let at = start + 4; at < end; ) {
      const type = source[at] as number;
      const nameStart = at + 1;
      const nameEnd = cStringEnd(source, nameStart);
      const valueStart = nameEnd + 1;
      at = valueStart + valueSize(source, type, valueStart);
      if (topLevel && isId(source, nameStart, nameEnd)) continue;
      if (type === BsonType.double && !isFiniteAt(source, valueStart)) {
        this.droppedValues += 1;
        continue;
      }
      if (!first) {
        out.ensure(1);
        out.byte(COMMA);
      }
      first = false;
      if (isSuspicious(source, nameStart, nameEnd, topLevel)) out.text(fieldName(source.toString('utf8', nameStart, nameEnd), topLevel));
      else out.string(source, nameStart, nameEnd);
      out.ensure(1);
      out.byte(COLON);
      this.#value(source, type, valueStart, at);
    }
    out.ensure(1);
    out.byte(CLOSE_OBJECT);
  }

  #array(source: Buffer, start: number): void {
    const out = this.#out;
    const end = start + source.readInt32LE(start) - 1;
    out.ensure(2);
    out.byte(OPEN_ARRAY);
    let first = true;
    for (let at = start + 4; at < end; ) {
      const type = source[at] as number;
      const valueStart = cStringEnd(source, at + 1) + 1;
      at = valueStart + valueSize(source, type, valueStart);
      if (!first) {
        out.ensure(1);
        out.byte(COMMA);
      }
      first = false;
      this.#value(source, type, valueStart, at);
    }
    out.ensure(1);
    out.byte(CLOSE_ARRAY);
  }

  #value(source: Buffer, type: number, start: number, end: number): void {
    switch (type) {
      case BsonType.object:
        this.#object(source, start, false);
        return;
      case BsonType.array:
        this.#array(source, start);
        return;
      case BsonType.double:
        if (isFiniteAt(source, start)) break;
        this.droppedValues += 1;
        this.#out.ascii('null');
        return;
      case BsonType.timestamp:
        this.#out.ascii(`{"t":${source.readUInt32LE(start + 4)},"i":${source.readUInt32LE(start)}}`);
        return;
      case BsonType.codeWithScope:
        this.#codeWithScope(source, start);
        return;
      case BsonType.dbPointer:
        this.#dbPointer(source, start, end);
        return;
      default:
    }
    writeScalar(this.#out, source, type, start, end);
  }

  #codeWithScope(source: Buffer, start: number): void {
    const out = this.#out;
    const scopeStart = start + 8 + source.readInt32LE(start + 4);
    out.ascii('{"code":');
    out.string(source, start + 8, scopeStart - 1);
    out.ascii(',"scope":');
    this.#object(source, scopeStart, false);
    out.ascii('}');
  }

  #dbPointer(source: Buffer, start: number, end: number): void {
    const out = this.#out;
    const idStart = end - 12;
    out.ascii('{"$ref":');
    out.string(source, start + 4, idStart - 1);
    out.ascii(`,"$id":"${source.toString('hex', idStart, end)}"}`);
  }
}

function isId(source: Buffer, start: number, end: number): boolean {
  return end - start === 3 && source[start] === 0x5f && source[start + 1] === 0x69 && source[start + 2] === 0x64;
}
