// The statements of `update` and `delete` commands as raw BSON, with the document's bytes copied as they are (promise C).
// https://www.mongodb.com/docs/manual/reference/command/update/#update-statements
import { BsonType, cStringEnd, findId, InvalidBsonError, type Position, type RawValue, valueSize } from '@tailwater/schema';
import { grownSize } from '../spare-buffers.js';
import { findPath } from './bson-path.js';
import { closeSection, sectionStart } from './document-sequence.js';
import type { BsonValue } from './key-to-id.js';

const INITIAL_BYTES = 256 * 1024;
const DOLLAR = 0x24;
const SECTION_STARTS = {
  updates: sectionStart('updates'),
  deletes: sectionStart('deletes'),
  documents: sectionStart('documents'),
} as const;

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
const NO_LIMIT = Buffer.from('\x10limit\0\0\0\0\0', 'latin1');
// Ids are what they are: by the collation of a collection, `a` may be `A`. https://www.mongodb.com/docs/manual/reference/collation/
const COLLATION = Buffer.from('\x03collation\0\x18\0\0\0\x02locale\0\x07\0\0\0simple\0\0', 'latin1');
const NOT = Buffer.from('\x03$not\0', 'latin1');
const GREATER = Buffer.from('$gt\0', 'latin1');
const NOR = Buffer.from('\x04$nor\0', 'latin1');
const FILES_ID_NAME = Buffer.from('files_id\0', 'latin1');
const N_NAME = Buffer.from('n\0', 'latin1');
const DATA_NAME = Buffer.from('data\0', 'latin1');
const NOTHING = Buffer.alloc(0);

/** A write that is refused when the target holds a newer version. */
export interface Guard {
  /** The name of the field that holds the version, and the zero byte that ends it. */
  readonly field: Buffer;
  readonly position: Pick<Position, 't' | 'i'>;
}

/** A field of a shard key. */
export interface ShardField {
  readonly path: readonly Buffer[];
  /** The dotted name, and the zero byte that ends it. */
  readonly name: Buffer;
}

export interface StatementMark {
  readonly count: number;
  readonly at: number;
}

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

  /** Where the next statement begins, to go back there when it cannot be finished. */
  get mark(): StatementMark {
    return { count: this.count, at: this.#at };
  }

  backTo({ count, at }: StatementMark): void {
    this.count = count;
    this.#at = at;
  }

  /** Begins the section of a command's field anew. */
  begin(field: keyof typeof SECTION_STARTS): void {
    this.count = 0;
    this.#at = 0;
    this.#ensure(64);
    this.#put(SECTION_STARTS[field]);
  }

  /**
   * `{q: {_id}, u: document, upsert: true}`, like all of them with the simple collation: replaces the document of this `_id`, or inserts it. The query of a sharded collection
   * holds the shard key too; a guarded one matches no newer version, so that the server then fails to insert a second document.
   *
   * @throws InvalidBsonError when the document is not BSON or has no `_id`
   */
  upsert(document: Buffer, shardKey: readonly ShardField[] = [], guard?: Guard): void {
    const id = idOf(document);
    // The values of a shard key are parts of the document.
    const valueBytes = shardKey.length === 0 ? id.end - id.start : document.length + 1024;
    this.#ensure(document.length + valueBytes + 256 + 2 * (guard?.field.length ?? 0));
    const statement = this.#open();
    this.#put(Q);
    const query = this.#open();
    this.#equals(ID_NAME, id.type, document, id.start, id.end);
    this.#shardValues(document, shardKey);
    if (guard !== undefined) this.#notNewer(guard);
    this.#close(query);
    if (needsLiteral(document)) this.#literal(document, guard);
    else {
      this.#put(U_DOCUMENT);
      this.#document(document, guard);
    }
    this.#put(UPSERT_TRUE);
    this.#put(COLLATION);
    this.#close(statement);
    this.count += 1;
  }

  /** `{q: {_id, $nor: [shard key]}, limit: 0}`: deletes what the document was on other shards, before its shard key changed. */
  purge(document: Buffer, shardKey: readonly ShardField[], guard?: Guard): void {
    const id = idOf(document);
    this.#ensure(document.length + 2048);
    const statement = this.#open();
    this.#put(Q);
    const query = this.#open();
    this.#equals(ID_NAME, id.type, document, id.start, id.end);
    this.#put(NOR);
    const alternatives = this.#open();
    this.#put(STAGE);
    const values = this.#open();
    this.#shardValues(document, shardKey);
    this.#close(values);
    this.#close(alternatives);
    if (guard !== undefined) this.#notNewer(guard);
    this.#close(query);
    this.#put(NO_LIMIT);
    this.#put(COLLATION);
    this.#close(statement);
    this.count += 1;
  }

  /** `{q: {_id}, limit: 1}`: deletes the document of this `_id`, unless a guard finds it newer. */
  delete(id: BsonValue, guard?: Guard): void {
    this.#ensure(id.bytes.length + 192 + (guard?.field.length ?? 0));
    const statement = this.#open();
    this.#put(Q);
    const query = this.#open();
    this.#equals(ID_NAME, id.type, id.bytes, 0, id.bytes.length);
    if (guard !== undefined) this.#notNewer(guard);
    this.#close(query);
    this.#put(LIMIT_ONE);
    this.#put(COLLATION);
    this.#close(statement);
    this.count += 1;
  }

  /** `{q: {files_id}, limit: 0}`: deletes the chunks of a file. */
  deleteChunks(id: BsonValue): void {
    this.#ensure(id.bytes.length + 192);
    const statement = this.#open();
    this.#put(Q);
    const query = this.#open();
    this.#equals(FILES_ID_NAME, id.type, id.bytes, 0, id.bytes.length);
    this.#close(query);
    this.#put(NO_LIMIT);
    this.#put(COLLATION);
    this.#close(statement);
    this.count += 1;
  }

  /** `{_id, files_id, n, data}`, a chunk of a file. */
  chunk(chunkId: Uint8Array, file: BsonValue, n: number, data: Buffer): void {
    this.#ensure(file.bytes.length + data.length + 128);
    const document = this.#open();
    this.#bytes[this.#at++] = BsonType.objectId;
    this.#put(ID_NAME);
    this.#bytes.set(chunkId, this.#at);
    this.#at += chunkId.length;
    this.#bytes[this.#at++] = file.type;
    this.#put(FILES_ID_NAME);
    this.#put(file.bytes);
    this.#bytes[this.#at++] = BsonType.int32;
    this.#put(N_NAME);
    this.#at = this.#bytes.writeInt32LE(n, this.#at);
    this.#bytes[this.#at++] = BsonType.binary;
    this.#put(DATA_NAME);
    this.#at = this.#bytes.writeInt32LE(data.length, this.#at);
    this.#bytes[this.#at++] = 0;
    this.#put(data);
    this.#close(document);
    this.count += 1;
  }

  /** `u: [{$replaceWith: {$literal: document}}]`: a replacement that the server takes exactly as it is. */
  #literal(document: Buffer, guard: Guard | undefined): void {
    this.#put(U_PIPELINE);
    const pipeline = this.#open();
    this.#put(STAGE);
    const stage = this.#open();
    this.#put(REPLACE_WITH);
    const replaceWith = this.#open();
    this.#put(LITERAL);
    this.#document(document, guard);
    this.#close(replaceWith);
    this.#close(stage);
    this.#close(pipeline);
  }

  /** The document as it is, and behind its last field its version. */
  #document(document: Buffer, guard: Guard | undefined): void {
    if (guard === undefined) {
      this.#put(document);
      return;
    }
    const start = this.#at;
    this.#put(document, 0, document.length - 1);
    this.#bytes[this.#at++] = BsonType.int64;
    this.#put(guard.field);
    this.#version(guard);
    this.#close(start);
  }

  /** `field: {$not: {$gt: version}}`, which a document without the field matches too. */
  #notNewer(guard: Guard): void {
    this.#bytes[this.#at++] = BsonType.object;
    this.#put(guard.field);
    const condition = this.#open();
    this.#put(NOT);
    const not = this.#open();
    this.#bytes[this.#at++] = BsonType.int64;
    this.#put(GREATER);
    this.#version(guard);
    this.#close(not);
    this.#close(condition);
  }

  /** `t << 32 | i`, little-endian. */
  #version({ position }: Guard): void {
    this.#at = this.#bytes.writeUInt32LE(position.i, this.#at);
    this.#at = this.#bytes.writeUInt32LE(position.t, this.#at);
  }

  /** The shard key of the document; what it lacks counts as null, for the server as well. */
  #shardValues(document: Buffer, shardKey: readonly ShardField[]): void {
    for (const { name, path } of shardKey) {
      const value = findPath(document, path);
      if (value === undefined) this.#equals(name, BsonType.null, NOTHING, 0, 0);
      else this.#equals(name, value.type, document, value.start, value.end);
    }
  }

  /** `name: value`; a document or a regular expression is compared by `$eq`, never read as operators or a pattern. */
  #equals(name: Buffer, type: number, source: Buffer, start: number, end: number): void {
    const isOperand = type === BsonType.object || type === BsonType.regex;
    this.#bytes[this.#at++] = isOperand ? BsonType.object : type;
    this.#put(name);
    const comparison = isOperand ? this.#open() : undefined;
    if (isOperand) {
      this.#bytes[this.#at++] = type;
      this.#put(EQ_NAME);
    }
    this.#put(source, start, end);
    if (comparison !== undefined) this.#close(comparison);
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

function idOf(document: Buffer): RawValue {
  const id = findId(document);
  if (id === undefined) throw new InvalidBsonError('The document has no _id');
  return id;
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
