// Extended JSON to BSON, straight from text to bytes: an object in between would put fields with names like integers first, and
// numbers beyond 2^53 would lose digits. A number with a point or an exponent is a double; any other an int, of 64 bits where it
// needs them. https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
import { BsonType } from '../bson/types.js';
import { bytesOf, writeExtended } from './extended-values.js';
import { GrowingBuffer } from './growing-buffer.js';
import { JsonScanner } from './json-scanner.js';

const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** MongoDB nests 100 levels; what nests deeper is no document, and must not exhaust the stack. */
const MAX_DEPTH = 200;

/**
 * The object that `source`, UTF-8 text, holds. The buffer is the caller's.
 *
 * @throws InvalidJsonError for anything but one JSON object, or for a malformed Extended JSON value
 */
export function jsonToBson(source: Buffer): Buffer {
  const reader = new JsonReader(source);
  return reader.document();
}

class JsonReader {
  readonly #scanner: JsonScanner;
  readonly #out: GrowingBuffer;

  constructor(source: Buffer) {
    this.#scanner = new JsonScanner(source);
    this.#out = new GrowingBuffer(source.length + 64);
  }

  document(): Buffer {
    if (!this.#scanner.take('{')) this.#scanner.fail('an object');
    if (this.#members(this.#scanner.take('}') ? undefined : this.#name(), 0) !== BsonType.object) this.#scanner.fail('an object');
    this.#scanner.end();
    return this.#out.written();
  }

  #value(depth: number): number {
    if (depth > MAX_DEPTH) this.#scanner.fail(`at most ${MAX_DEPTH} levels`);
    const scanner = this.#scanner;
    switch (scanner.peek()) {
      case 0x22: // "
        this.#out.string(scanner.text());
        return BsonType.string;
      case 0x7b: // {
        return this.#object(depth);
      case 0x5b: // [
        return this.#array(depth);
      case 0x74: // t
        scanner.word('true');
        this.#out.byte(1);
        return BsonType.boolean;
      case 0x66: // f
        scanner.word('false');
        this.#out.byte(0);
        return BsonType.boolean;
      case 0x6e: // n
        scanner.word('null');
        return BsonType.null;
      default:
        return this.#number(scanner.number());
    }
  }

  #number(text: string): number {
    const out = this.#out;
    if (/[.eE]/.test(text)) return this.#double(Number(text));
    if (text.length < 10) {
      out.int32(Number(text));
      return BsonType.int32;
    }
    const integer = BigInt(text);
    if (integer >= INT32_MIN && integer <= INT32_MAX) {
      out.int32(Number(integer));
      return BsonType.int32;
    }
    // No integer of ours is larger.
    if (integer < INT64_MIN || integer > INT64_MAX) return this.#double(Number(text));
    out.int64(integer);
    return BsonType.int64;
  }

  #double(value: number): number {
    this.#out.double(value);
    return BsonType.double;
  }

  #object(depth: number): number {
    const scanner = this.#scanner;
    const start = scanner.at;
    scanner.take('{');
    if (scanner.take('}')) return this.#members(undefined, depth);
    const first = this.#name();
    if (isExtended(first)) return this.#extended(first, start, depth);
    return this.#members(first, depth);
  }

  /** `{"$oid": …}` and its like; `start` is where the object begins. */
  #extended(name: Buffer, start: number, depth: number): number {
    const scanner = this.#scanner;
    if (name.toString('latin1') !== '$code') return writeExtended(this.#out, scanner.rest(start), scanner);
    const at = this.#out.length;
    this.#out.int32(0);
    this.#out.string(this.#codeText());
    if (!scanner.take(',')) {
      scanner.expect('}');
      this.#out.removeInt32(at);
      return BsonType.code;
    }
    if (this.#name().toString('latin1') !== '$scope') scanner.fail('$scope behind $code');
    if (this.#object(depth + 1) !== BsonType.object) scanner.fail('an object for $scope');
    scanner.expect('}');
    this.#out.setInt32(at, this.#out.length - at);
    return BsonType.codeWithScope;
  }

  /** Code, which may hold bytes that are no text. */
  #codeText(): Buffer {
    const scanner = this.#scanner;
    if (scanner.peek() === 0x22) return scanner.text();
    if (scanner.peek() !== 0x7b) scanner.fail('the text of $code');
    return bytesOf(scanner.rest(scanner.at)) ?? scanner.fail('the text of $code');
  }

  /** The members of an object behind the name of the first one, and its end; it has none where that is undefined. */
  #members(first: Buffer | undefined, depth: number): number {
    const out = this.#out;
    const start = out.length;
    out.int32(0);
    for (let name = first; name !== undefined; name = this.#scanner.take(',') ? this.#name() : undefined) {
      this.#element(name, depth);
    }
    if (first !== undefined) this.#scanner.expect('}');
    out.byte(0);
    out.setInt32(start, out.length - start);
    return BsonType.object;
  }

  #array(depth: number): number {
    const [out, scanner] = [this.#out, this.#scanner];
    scanner.take('[');
    const start = out.length;
    out.int32(0);
    if (!scanner.take(']')) {
      let index = 0;
      do this.#element(Buffer.from(String(index++)), depth);
      while (scanner.take(','));
      scanner.expect(']');
    }
    out.byte(0);
    out.setInt32(start, out.length - start);
    return BsonType.array;
  }

  #element(name: Buffer, depth: number): void {
    const out = this.#out;
    const typeAt = out.length;
    out.byte(0);
    out.bytes(name[0] === 0x24 ? realName(name) : name);
    out.byte(0);
    const type = this.#value(depth + 1);
    out.setByte(typeAt, type);
  }

  /** A member's name, and the colon behind it. */
  #name(): Buffer {
    const name = this.#scanner.text();
    this.#scanner.expect(':');
    if (name.includes(0)) this.#scanner.fail('a name without a zero byte');
    return name;
  }
}

const INVALID_UTF8 = '$invalidUtf8:';

/** Whether an object whose first member has this name is a value of another type. */
const isExtended = (name: Buffer): boolean => name[0] === 0x24 && name[1] !== 0x24 && !name.toString('latin1').startsWith(INVALID_UTF8);

/** `$$oid` is called `$oid`; some names are not text. */
function realName(name: Buffer): Buffer {
  if (name[1] === 0x24) return name.subarray(1);
  const text = name.toString('latin1');
  return text.startsWith(INVALID_UTF8) ? Buffer.from(text.slice(INVALID_UTF8.length), 'base64') : name;
}
