// What a resume token says of its place: the cluster time and, inside a transaction, which operation it is. The token itself
// goes back to the server as it came; a form that is not known here costs the ordinal and nothing else.
// https://github.com/mongodb/mongo/blob/master/src/mongo/db/pipeline/resume_token.h
import { BsonCursor, BsonType, readString } from '@tailwater/schema';

/** Type bytes of the server's KeyString encoding: a timestamp, zero, and positive whole numbers of one byte and more. */
const TIMESTAMP = 0x82;
const ZERO = 0x29;
const ONE_BYTE = 0x2b;
const FOUR_BYTES = 0x2e;
const FIRST_VERSION_WITH_ORDINAL = 1;
/** The type of a token that belongs to an event; that of a high-water mark is 0. */
const EVENT = 128;
/** Hexadecimal digits in front of the event's identifier, at most. */
const HEAD_DIGITS = 80;

export interface TokenPlace {
  readonly t: number;
  readonly i: number;
  /** Whether an event has this token; otherwise it says that a stream has come so far and found nothing. */
  readonly isEvent: boolean;
  /** The operation's place inside its transaction, counted as in the oplog. */
  readonly ordinal: number;
}

const DATA = Buffer.from('_data');
const cursor = new BsonCursor();

/** Reads the token document that begins at `start`; undefined for a form that is not known. */
export function readToken(source: Buffer, start = 0): TokenPlace | undefined {
  cursor.enter(source, start);
  while (cursor.next()) {
    if (cursor.type === BsonType.string && cursor.isNamed(DATA)) {
      return readKeyString(Buffer.from(readString(source, cursor.valueStart).slice(0, HEAD_DIGITS), 'hex'));
    }
  }
  return undefined;
}

function readKeyString(bytes: Buffer): TokenPlace | undefined {
  if (bytes.length < 10 || bytes[0] !== TIMESTAMP) return undefined;
  const reader = new NumberReader(bytes, 9);
  const [version, kind, ordinal] = [reader.next(), reader.next(), reader.next()];
  if (version === undefined || version < FIRST_VERSION_WITH_ORDINAL || kind === undefined || ordinal === undefined) return undefined;
  return { t: bytes.readUInt32BE(1), i: bytes.readUInt32BE(5), isEvent: kind === EVENT, ordinal };
}

class NumberReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The next number, if it is a whole one of four bytes at most; its lowest bit says that no fraction follows. */
  next(): number | undefined {
    const type = this.#bytes[this.#at] ?? 0;
    const size = type === ZERO ? 0 : type - ONE_BYTE + 1;
    if (size < 0 || (size > 0 && type < ONE_BYTE) || type > FOUR_BYTES || this.#at + 1 + size > this.#bytes.length) return undefined;
    const value = size === 0 ? 0 : this.#bytes.readUIntBE(this.#at + 1, size);
    this.#at += 1 + size;
    return Math.floor(value / 2);
  }
}
