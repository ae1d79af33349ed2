// A growing buffer that JSON is written into, byte by byte: no string, object or array per document or per value. It is
// reused from batch to batch, so that steady state allocates nothing.
import { isUtf8 } from 'node:buffer';
import { grownSize } from '../spare-buffers.js';

const INITIAL_BYTES = 256 * 1024;
/** Up to this length a loop beats the call that copies memory (measured). */
const LOOP_BYTES = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const INT32_MAX = 0x7fff_ffff;

/** 1 for each byte of a JSON string that needs an escape. */
const ESCAPED = new Uint8Array(256).fill(1, 0, 0x20);
ESCAPED[QUOTE] = 1;
ESCAPED[BACKSLASH] = 1;
/** And for those that are no character by themselves: what follows must be UTF-8. */
const SPECIAL = ESCAPED.slice().fill(1, 0x80);

/** Where the first such byte is, else `end`. A function of its own, because it sees every byte of every long text. */
function find(special: Uint8Array, source: Buffer, start: number, end: number): number {
  let index = start;
  while (index < end && special[source[index] as number] === 0) index++;
  return index;
}

/** The escapes of RFC 8259, section 7: short where there is one. */
const ESCAPES: readonly Buffer[] = Array.from({ length: 0x5d }, (_, byte) =>
  Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);

export class JsonBuffer {
  bytes: Buffer;
  /** The offset of the next byte. */
  at = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Begins anew. */
  reset(): void {
    this.at = 0;
  }

  /** What was written, without a copy: valid until the next reset. */
  written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  /** Makes room for this many more bytes. */
  ensure(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(grownSize(this.bytes.length, needed));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  /** One byte; the caller has ensured room. */
  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Text of ASCII characters that need no escape. */
  ascii(text: string): void {
    const { length } = text;
    this.ensure(length);
    if (length > LOOP_BYTES) {
      this.at += this.bytes.write(text, this.at, 'latin1');
      return;
    }
    const { bytes } = this;
    let at = this.at;
    for (let index = 0; index < length; index++) bytes[at++] = text.charCodeAt(index);
    this.at = at;
  }

  raw(source: Buffer, start = 0, end = source.length): void {
    this.ensure(end - start);
    this.#copy(source, start, end);
  }

  /** A JSON string of any text. */
  text(text: string): void {
    const source = Buffer.from(text, 'utf8');
    this.string(source, 0, source.length);
  }

  /** A JSON string of the UTF-8 bytes `source[start, end)`; bytes that are not UTF-8 become the replacement character. */
  string(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.ensure(length + 2);
    if (length > LOOP_BYTES || !this.#plain(source, start, end)) this.#checked(source, start, end);
  }

  /** Writes a short string that needs nothing, as names and most values do, in one pass; false when it needs something. */
  #plain(source: Buffer, start: number, end: number): boolean {
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = QUOTE;
    for (let index = start; index < end; index++) {
      const byte = source[index] as number;
      if (SPECIAL[byte] !== 0) return false;
      bytes[at++] = byte;
    }
    bytes[at++] = QUOTE;
    this.at = at;
    return true;
  }

  #checked(source: Buffer, start: number, end: number): void {
    this.bytes[this.at++] = QUOTE;
    let special = SPECIAL;
    let run = start;
    for (let index = find(special, source, start, end); index < end; index = find(special, source, index, end)) {
      const byte = source[index] as number;
      if (byte >= 0x80) {
        this.#copy(source, run, index);
        run = index;
        if (!isUtf8(source.subarray(index, end))) {
          this.#replaced(source, index, end);
          return;
        }
        special = ESCAPED;
        continue;
      }
      this.#copy(source, run, index);
      const escaped = ESCAPES[byte] as Buffer;
      this.ensure(end - index + escaped.length + 1);
      this.#copy(escaped, 0, escaped.length);
      index += 1;
      run = index;
    }
    this.#copy(source, run, end);
    this.bytes[this.at++] = QUOTE;
  }

  /** An integer of at most 53 bits. */
  integer(value: number): void {
    // Below 2^31 the loop divides 32-bit integers, without a string in between.
    if (value > INT32_MAX || value < -INT32_MAX) {
      this.ascii(String(value));
      return;
    }
    this.ensure(11);
    if (value < 0) this.bytes[this.at++] = MINUS;
    const rest = Math.abs(value);
    let digits = 1;
    for (let bound = 10; bound <= rest; bound *= 10) digits += 1;
    this.padded(rest, digits);
  }

  /** Exactly so many digits of an integer from 0 to 2^31 - 1; the caller has ensured room. */
  padded(value: number, digits: number): void {
    const { bytes } = this;
    let rest = value;
    for (let at = this.at + digits - 1; at >= this.at; at--) {
      const quotient = (rest / 10) | 0;
      bytes[at] = ZERO + rest - quotient * 10;
      rest = quotient;
    }
    this.at += digits;
  }

  #copy(source: Buffer, start: number, end: number): void {
    const { bytes } = this;
    let at = this.at;
    if (end - start > LOOP_BYTES) source.copy(bytes, at, start, end);
    else for (let index = start; index < end; index++) bytes[at++] = source[index] as number;
    this.at += end - start;
  }

  /** The rest of a string that is not UTF-8, and its closing quote. */
  #replaced(source: Buffer, start: number, end: number): void {
    const rest = Buffer.from(JSON.stringify(source.toString('utf8', start, end)).slice(1));
    this.raw(rest);
  }
}
