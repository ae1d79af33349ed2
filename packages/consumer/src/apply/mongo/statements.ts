// The statements of `update` and `delete` commands as raw BSON, with the document's bytes copied as they are (promise C).
// https://www.mongodb.com/docs/manual/reference/command/update/#update-statements
import { BsonType, cStringEnd, findId, InvalidBsonError, valueSize } from '@tailwater/schema';
import { grownSize } from '../spare-buffers.js';
import { closeSection, sectionStart } from './document-sequence.js';
import type { BsonValue } from './key-to-id.js';

const INITIAL_BYTES = 256 * 1024;
const DOLLAR = 0x24;
const SECTION_STARTS = { updates: sectionStart('updates'), deletes: sectionStart('deletes') } as const;

const Q = Buffer.from('\x03q\0', 'latin1');
const U_DOCUMENT = Buffer.from('\x03u\0', 'latin1');
const U_PIPELINE = Buffer.from('\x04u\0', 'latin1');
const STAGE = Buffer.from('\x030\0', 'latin1');
const REPLACE_WITH = Buffer.from('\x03$replaceWith\0', 'latin1');
const LITERAL = Buffer.from('\x03$literal\0', 'latin1');
const EQ_NAME = Buffer.from('$eq\0', 'latin1');
const ID_NAME = Buffer.from('_id\0', 'latin1');
const UPSERT_TRUE = Buffer.from('\x08upsert\0\x01', 'latin1');
const LIMIT_ONE = Buffer.from('\x10limit\0\x01\0\0\0', 'latin1');

/** A growing buffer of statements, one after the other, as the section of a message that carries them. */
export class Statements {
  count = 0;
  #bytes: Buffer;
  #at = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  get length(): number {
    return this.#at;
  }

  /** The finished section, without a copy: valid until the next one begins. */
  section(): Buffer {
    return closeSection(this.#bytes.subarray(0, this.#at));
  }

  /** The memory it holds, in bytes. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Begins the section of a command's field anew. */
  begin(field: 'updates' | 'deletes'): void {
    this.count = 0;
    this.#at = 0;
    this.#ensure(64);
    this.#put(SECTION_STARTS[field]);
  }

  /**
   * `{q: {_id}, u: document, upsert: true}`: replaces the document of this `_id`, or inserts it.
   *
   * @throws InvalidBsonError when the document is not BSON or has no `_id`
   */
  upsert(document: Buffer): void {
    const id = findId(document);
    if (id === undefined) throw new InvalidBsonError('The document has no _id');
    this.#ensure(document.length + (id.end - id.start) + 128);
    const statement = this.#open();
    this.#query(id.type, document, id.start, id.end);
    if (needsLiteral(document)) this.#literal(document);
    else {
      this.#put(U_DOCUMENT);
      this.#put(document);
    }
    this.#put(UPSERT_TRUE);
    this.#close(statement);
    this.count += 1;
  }

  /** `{q: {_id}, limit: 1}`: deletes the document of this `_id`. */
  delete(id: BsonValue): void {
    this.#ensure(id.bytes.length + 64);
    const statement = this.#open();
    this.#query(id.type, id.bytes, 0, id.bytes.length);
    this.#put(LIMIT_ONE);
    this.#close(statement);
    this.count += 1;
  }

  /** `u: [{$replaceWith: {$literal: document}}]`: a replacement that the server takes exactly as it is. */
  #literal(document: Buffer): void {
    this.#put(U_PIPELINE);
    const pipeline = this.#open();
    this.#put(STAGE);
    const stage = this.#open();
    this.#put(REPLACE_WITH);
    const replaceWith = this.#open();
    this.#put(LITERAL);
    this.#put(document);
    this.#close(replaceWith);
    this.#close(stage);
    this.#close(pipeline);
  }

  /** `q: {_id: value}`; a document or a regular expression is compared by `$eq`, never read as operators or a pattern. */
  #query(type: number, source: Buffer, start: number, end: number): void {
    this.#put(Q);
    const query = this.#open();
    const isOperand = type === BsonType.object || type === BsonType.regex;
    this.#bytes[this.#at++] = isOperand ? BsonType.object : type;
    this.#put(ID_NAME);
    const comparison = isOperand ? this.#open() : undefined;
    if (isOperand) {
      this.#bytes[this.#at++] = type;
      this.#put(EQ_NAME);
    }
    this.#put(source, start, end);
    if (comparison !== undefined) this.#close(comparison);
    this.#close(query);
  }

  #open(): number {
    this.#at += 4;
    return this.#at - 4;
  }

  #close(start: number): void {
    this.#bytes[this.#at++] = 0;
    this.#bytes.writeInt32LE(this.#at - start, start);
  }

  #put(source: Buffer, start = 0, end = source.length): void {
    if (end - start > 32) {
      source.copy(this.#bytes, this.#at, start, end);
      this.#at += end - start;
      return;
    }
    for (let index = start; index < end; index++) this.#bytes[this.#at++] = source[index] as number;
  }

  #ensure(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(grownSize(this.#bytes.length, needed));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/**
 * Whether the server would not store a plain replacement as it is: a top-level name that begins with `$` may be read as an
 * update operator, and a top-level Timestamp(0, 0) is replaced by the server's clock.
 * https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
 */
function needsLiteral(document: Buffer): boolean {
  const end = document.length - 1;
  for (let at = 4; at < end; ) {
    const type = document[at] as number;
    if (document[at + 1] === DOLLAR) return true;
    const valueStart = cStringEnd(document, at + 1) + 1;
    if (type === BsonType.timestamp && document.readBigUInt64LE(valueStart) === 0n) return true;
    at = valueStart + valueSize(document, type, valueStart);
  }
  return false;
}
