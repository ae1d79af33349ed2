// Walks raw BSON without building objects: the hot paths of both halves find the few fields they need here and copy
// the rest as bytes, so a document reaches its target exactly as the server wrote it (promise C).
import { BsonType } from './types.js';

/** Thrown for bytes that are not BSON; the caller knows which entry or record they came from and says so. */
export class InvalidBsonError extends Error {
  override readonly name = 'InvalidBsonError';
}

/** A length, and the zero byte that ends it. */
const SMALLEST_DOCUMENT = 5;

/**
 * The size in bytes of the value of `type` that begins at `start`.
 *
 * @throws InvalidBsonError for a type the specification does not know, a length that no value can have, or a value that runs past the buffer
 */
export function valueSize(source: Buffer, type: number, start: number): number {
  const size = unboundedValueSize(source, type, start);
  if (start + size > source.length) throw new InvalidBsonError(`BSON value of type ${type} at byte ${start} runs past its buffer`);
  return size;
}

function unboundedValueSize(source: Buffer, type: number, start: number): number {
  switch (type) {
    case BsonType.double:
    case BsonType.date:
    case BsonType.timestamp:
    case BsonType.int64:
      return 8;
    case BsonType.string:
    case BsonType.code:
    case BsonType.symbol:
      return 4 + lengthAt(source, start, 1);
    case BsonType.object:
    case BsonType.array:
      return lengthAt(source, start, SMALLEST_DOCUMENT);
    case BsonType.codeWithScope:
      return codeWithScopeSize(source, start);
    case BsonType.binary:
      return 5 + lengthAt(source, start, 0);
    case BsonType.objectId:
      return 12;
    case BsonType.boolean:
      return 1;
    case BsonType.undefined:
    case BsonType.null:
    case BsonType.minKey:
    case BsonType.maxKey:
      return 0;
    case BsonType.regex: {
      const patternEnd = cStringEnd(source, start);
      return cStringEnd(source, patternEnd + 1) + 1 - start;
    }
    case BsonType.dbPointer:
      return 4 + lengthAt(source, start, 1) + 12;
    case BsonType.int32:
      return 4;
    case BsonType.decimal128:
      return 16;
    default:
      throw new InvalidBsonError(`Unknown BSON type 0x${type.toString(16)} at byte ${start}`);
  }
}

/** The length prefix at `at`, checked before anything steps by it: a negative one would step backwards, for ever. */
function lengthAt(source: Buffer, at: number, least: number): number {
  const length = at + 4 <= source.length ? source.readInt32LE(at) : -1;
  if (length < least) throw new InvalidBsonError(`BSON length at byte ${at} is missing or below ${least}`);
  return length;
}

/** Its total length counts itself, a string and a document: checked here, so that a reader of the scope finds it inside the value. */
function codeWithScopeSize(source: Buffer, start: number): number {
  const scopeStart = start + 8 + lengthAt(source, start + 4, 1);
  const size = scopeStart - start + lengthAt(source, scopeStart, SMALLEST_DOCUMENT);
  if (lengthAt(source, start, 0) !== size) throw new InvalidBsonError(`BSON code with scope at byte ${start} is not ${size} bytes long`);
  return size;
}

/** The offset of the zero byte that ends the C string beginning at `start`. */
export function cStringEnd(source: Buffer, start: number): number {
  // Field names are short: a loop beats the call into indexOf up to some forty bytes (measured).
  const near = Math.min(start + 40, source.length);
  for (let at = start; at < near; at++) if (source[at] === 0) return at;
  const end = source.indexOf(0, near);
  if (end < 0) throw new InvalidBsonError(`Unterminated BSON name at byte ${start}`);
  return end;
}

/**
 * Steps through the elements of one document. Reused across documents, so that a walk allocates nothing:
 *
 *     cursor.enter(source, 0);
 *     while (cursor.next()) if (cursor.isNamed(ID)) …cursor.type, cursor.valueStart, cursor.valueEnd
 */
export class BsonCursor {
  source: Buffer = Buffer.alloc(0);
  type = 0;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  #documentEnd = 0;

  /**
   * Begins at the document whose length prefix is at `start`.
   *
   * @throws InvalidBsonError when the document does not fit the buffer, or does not end with a zero byte
   */
  enter(source: Buffer, start: number): void {
    const length = lengthAt(source, start, SMALLEST_DOCUMENT);
    const end = start + length - 1;
    if (source[end] !== 0) throw new InvalidBsonError(`BSON document at byte ${start} does not end after its ${length} bytes`);
    this.source = source;
    this.#documentEnd = end;
    this.valueEnd = start + 4;
  }

  /**
   * Moves to the next element; false at the end of the document.
   *
   * @throws InvalidBsonError for an element that is not BSON, or runs past its document
   */
  next(): boolean {
    const at = this.valueEnd;
    if (at >= this.#documentEnd) return false;
    this.type = this.source[at] as number;
    this.nameStart = at + 1;
    this.nameEnd = cStringEnd(this.source, this.nameStart);
    this.valueStart = this.nameEnd + 1;
    this.valueEnd = this.valueStart + unboundedValueSize(this.source, this.type, this.valueStart);
    if (this.valueEnd > this.#documentEnd) throw new InvalidBsonError(`BSON element at byte ${at} runs past its document`);
    return true;
  }

  /** Whether the element's name is these bytes (without the ending zero). */
  isNamed(name: Uint8Array): boolean {
    const length = this.nameEnd - this.nameStart;
    if (length !== name.length) return false;
    for (let index = 0; index < length; index++) if (this.source[this.nameStart + index] !== name[index]) return false;
    return true;
  }

  /** The element's name as text. */
  name(): string {
    return this.source.toString('utf8', this.nameStart, this.nameEnd);
  }
}

/** The text of the string value (BSON string, code or symbol) that begins at `start`. */
export function readString(source: Buffer, start: number): string {
  return source.toString('utf8', start + 4, start + 4 + source.readInt32LE(start) - 1);
}

const ID_NAME = Buffer.from('_id');
const idCursor = new BsonCursor();

/** Where a document's `_id` is: its BSON type, and the range of its value's bytes. */
export interface RawValue {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** Finds the top-level `_id` of the document at `start`; undefined when it has none. */
export function findId(source: Buffer, start = 0): RawValue | undefined {
  idCursor.enter(source, start);
  while (idCursor.next()) {
    if (idCursor.isNamed(ID_NAME)) return { type: idCursor.type, start: idCursor.valueStart, end: idCursor.valueEnd };
  }
  return undefined;
}
