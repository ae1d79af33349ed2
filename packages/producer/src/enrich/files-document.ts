// What the document of a GridFS file says of its chunks.
// https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md
import { BsonCursor, BsonType, readString } from '@tailwater/schema';

export interface FilesDocument {
  /** Bytes of content; undefined when the document does not say. */
  readonly length: number | undefined;
  readonly chunkBytes: number | undefined;
  /** Of files that older drivers wrote. */
  readonly md5: string | undefined;
}

/** One chunk: the place of its file's id in the raw document, its number, and its part of the content. */
export interface FileChunk {
  readonly idType: number;
  readonly idStart: number;
  readonly n: number;
  readonly data: Buffer;
}

const cursor = new BsonCursor();
const LENGTH = Buffer.from('length');
const CHUNK_SIZE = Buffer.from('chunkSize');
const MD5 = Buffer.from('md5');
/** Subtype 2 repeats its length inside: https://bsonspec.org/spec.html */
const OLD_BINARY = 2;

export function readFilesDocument(source: Buffer): FilesDocument {
  let length: number | undefined;
  let chunkBytes: number | undefined;
  let md5: string | undefined;
  cursor.enter(source, 0);
  while (cursor.next()) {
    if (cursor.isNamed(LENGTH)) length = wholeNumber(source, cursor.type, cursor.valueStart);
    else if (cursor.isNamed(CHUNK_SIZE)) chunkBytes = wholeNumber(source, cursor.type, cursor.valueStart);
    else if (cursor.type === BsonType.string && cursor.isNamed(MD5)) md5 = readString(source, cursor.valueStart);
  }
  return { length, chunkBytes, md5 };
}

/** Undefined for a document that is no chunk. */
export function readChunk(source: Buffer): FileChunk | undefined {
  let [idType, idStart] = [0, -1];
  let n: number | undefined;
  let data: Buffer | undefined;
  cursor.enter(source, 0);
  while (cursor.next()) {
    const name = cursor.name();
    if (name === 'files_id') [idType, idStart] = [cursor.type, cursor.valueStart];
    else if (name === 'n') n = wholeNumber(source, cursor.type, cursor.valueStart);
    else if (name === 'data' && cursor.type === BsonType.binary) {
      const inner = source[cursor.valueStart + 4] === OLD_BINARY ? 4 : 0;
      data = source.subarray(cursor.valueStart + 5 + inner, cursor.valueEnd);
    }
  }
  return idStart < 0 || n === undefined || data === undefined ? undefined : { idType, idStart, n, data };
}

/** Drivers have written these as every kind of number. */
function wholeNumber(source: Buffer, type: number, start: number): number | undefined {
  const value =
    type === BsonType.int32
      ? source.readInt32LE(start)
      : type === BsonType.int64
        ? Number(source.readBigInt64LE(start))
        : type === BsonType.double
          ? source.readDoubleLE(start)
          : Number.NaN;
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
