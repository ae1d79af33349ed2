// How a GridFS file travels: its files document, with its content behind the last field, and a header that says so. A record that
// has the header is a file, whatever its document looks like; one without it is an ordinary document.
import { BsonType } from './bson/types.js';
import { BsonCursor } from './bson/walk.js';
import type { RecordHeaders } from './tombstone.js';

/**
 * What a record carries of its file:
 * - `content`: all of it;
 * - `too-large`: the files document alone, because the content is over the limit;
 * - `incomplete`: the files document alone, because the source itself lacks chunks of it;
 * - `deleted`: a tombstone.
 */
export type FileState = 'content' | 'too-large' | 'incomplete' | 'deleted';

export const FILE_HEADER = 'tw-gridfs';
/** The field that holds the content; no driver writes one of this name. */
export const CONTENT_FIELD = '$content';

const STATES: readonly string[] = ['content', 'too-large', 'incomplete', 'deleted'] satisfies FileState[];
const NAME = Buffer.from(CONTENT_FIELD);
const ELEMENT_START = Buffer.concat([Buffer.from([BsonType.binary]), NAME, Buffer.from([0])]);
/** The length of a binary, and its subtype. */
const BINARY_HEADER_BYTES = 5;
const cursor = new BsonCursor();

/** Bytes that the content costs beside itself. */
export const CONTENT_OVERHEAD_BYTES = ELEMENT_START.length + BINARY_HEADER_BYTES;

/** The document with room for a content of `length` bytes, which the caller writes into `content`. */
export function reserveContent(document: Buffer, length: number): { readonly document: Buffer; readonly content: Buffer } {
  const whole = Buffer.allocUnsafe(document.length + CONTENT_OVERHEAD_BYTES + length);
  const elementStart = document.copy(whole, 0, 0, document.length - 1);
  const binaryStart = elementStart + ELEMENT_START.copy(whole, elementStart);
  whole.writeInt32LE(whole.length, 0);
  whole.writeInt32LE(length, binaryStart);
  whole[binaryStart + 4] = 0;
  whole[whole.length - 1] = 0;
  return { document: whole, content: whole.subarray(binaryStart + BINARY_HEADER_BYTES, whole.length - 1) };
}

/**
 * The files document and the content apart; the content shares memory with what was given, and is undefined if absent.
 *
 * @throws InvalidBsonError for bytes that are not BSON
 */
export function splitContent(document: Buffer): { readonly document: Buffer; readonly content: Buffer | undefined } {
  cursor.enter(document, 0);
  while (cursor.next()) {
    if (cursor.type !== BsonType.binary || !cursor.isNamed(NAME)) continue;
    const elementStart = cursor.nameStart - 1;
    const rest = Buffer.concat([document.subarray(0, elementStart), document.subarray(cursor.valueEnd, document.length)]);
    rest.writeInt32LE(rest.length, 0);
    return { document: rest, content: document.subarray(cursor.valueStart + BINARY_HEADER_BYTES, cursor.valueEnd) };
  }
  return { document, content: undefined };
}

/** What a record's headers say of a file; undefined if it is not a file. */
export function fileStateOf(headers: RecordHeaders | undefined): FileState | undefined {
  const value = headers?.[FILE_HEADER];
  if (value === undefined) return undefined;
  const state = String(Array.isArray(value) ? value[0] : value);
  return STATES.includes(state) ? (state as FileState) : undefined;
}
