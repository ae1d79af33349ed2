// A BSON document as JSON, straight from bytes to bytes, in the field order of the document.
import { BsonType, cStringEnd, valueSize } from '@tailwater/schema';
import { Decimal128 } from 'bson';
import { fieldName, isSuspicious } from './field-name.js';
import { hasFourDigitYear, writeIsoDate } from './iso-date.js';
import type { JsonBuffer } from './json-buffer.js';

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;

const UUID = 0x04;
const OLD_BINARY = 0x02;

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
    const out = this.#out;
    switch (type) {
      case BsonType.string:
        out.string(source, start + 4, end - 1);
        return;
      case BsonType.int32:
        out.integer(source.readInt32LE(start));
        return;
      case BsonType.double:
        this.#double(source.readDoubleLE(start));
        return;
      case BsonType.objectId:
        this.#quoted(source.toString('hex', start, end));
        return;
      case BsonType.date:
        this.#date(source, start);
        return;
      case BsonType.object:
        this.#object(source, start, false);
        return;
      case BsonType.array:
        this.#array(source, start);
        return;
      case BsonType.boolean:
        out.ascii(source[start] === 0 ? 'false' : 'true');
        return;
      case BsonType.null:
      case BsonType.undefined:
        out.ascii('null');
        return;
      case BsonType.int64:
        this.#int64(source, start);
        return;
      default:
        this.#rare(source, type, start, end);
        return;
    }
  }

  #double(value: number): void {
    if (!Number.isFinite(value)) {
      this.droppedValues += 1;
      this.#out.ascii('null');
      return;
    }
    // Prices and the like: a number of so few digits is its own shortest text, and needs no general conversion.
    const cents = Math.round(value * 100);
    if (cents / 100 === value && Math.abs(cents) < 0x7fff_ffff && cents !== 0) {
      this.#cents(cents);
      return;
    }
    const text = Object.is(value, -0) ? '-0' : String(value);
    this.#out.ascii(text);
    if (Number.isInteger(value) && !text.includes('e')) this.#out.ascii('.0');
  }

  /** `n / 100` for an integer n of 31 bits, with one decimal at least. */
  #cents(n: number): void {
    const out = this.#out;
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

  #int64(source: Buffer, start: number): void {
    const high = source.readInt32LE(start + 4);
    if (high < 0x20_0000 && high >= -0x20_0000) this.#out.integer(high * 0x1_0000_0000 + source.readUInt32LE(start));
    else this.#out.ascii(source.readBigInt64LE(start).toString());
  }

  #date(source: Buffer, start: number): void {
    const high = source.readInt32LE(start + 4);
    const ms = high * 0x1_0000_0000 + source.readUInt32LE(start);
    if (hasFourDigitYear(ms)) writeIsoDate(this.#out, ms);
    else this.#int64(source, start);
  }

  #rare(source: Buffer, type: number, start: number, end: number): void {
    const out = this.#out;
    switch (type) {
      case BsonType.decimal128:
        this.#quoted(new Decimal128(Uint8Array.from(source.subarray(start, end))).toString());
        return;
      case BsonType.binary:
        this.#binary(source, start, end);
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
      case BsonType.timestamp:
        out.ascii(`{"t":${source.readUInt32LE(start + 4)},"i":${source.readUInt32LE(start)}}`);
        return;
      case BsonType.codeWithScope: {
        const scopeStart = start + 8 + source.readInt32LE(start + 4);
        out.ascii('{"code":');
        out.string(source, start + 8, scopeStart - 1);
        out.ascii(',"scope":');
        this.#object(source, scopeStart, false);
        out.ascii('}');
        return;
      }
      case BsonType.dbPointer: {
        const idStart = end - 12;
        out.ascii('{"$ref":');
        out.string(source, start + 4, idStart - 1);
        out.ascii(`,"$id":"${source.toString('hex', idStart, end)}"}`);
        return;
      }
      default:
        // The walk has refused every type that the specification does not know.
        this.#quoted(type === BsonType.minKey ? 'MinKey' : 'MaxKey');
        return;
    }
  }

  #binary(source: Buffer, start: number, end: number): void {
    const subType = source[start + 4] as number;
    // Subtype 2 repeats its length inside: https://bsonspec.org/spec.html
    const bytesStart = start + 5 + (subType === OLD_BINARY ? 4 : 0);
    if (subType === UUID && end - bytesStart === 16) {
      const hex = source.toString('hex', bytesStart, end);
      this.#quoted(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`);
      return;
    }
    this.#quoted(source.toString('base64', bytesStart, end));
  }

  #quoted(ascii: string): void {
    const out = this.#out;
    out.ensure(ascii.length + 2);
    out.byte(QUOTE);
    out.ascii(ascii);
    out.byte(QUOTE);
  }
}

function isId(source: Buffer, start: number, end: number): boolean {
  return end - start === 3 && source[start] === 0x5f && source[start + 1] === 0x69 && source[start + 2] === 0x64;
}

/** A double is NaN or infinite exactly when all eleven bits of its exponent are set. */
function isFiniteAt(source: Buffer, start: number): boolean {
  return ((source[start + 7] as number) & 0x7f) !== 0x7f || ((source[start + 6] as number) & 0xf0) !== 0xf0;
}
