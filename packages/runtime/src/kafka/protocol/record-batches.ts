// Reads record batches (format 2) out of a fetch's answer: the committed records, and where reading goes on. Unlike kafkajs it steps over what
// compaction has left of a batch at once, and makes no decoder for each record. https://kafka.apache.org/documentation/#recordbatch
import { createRequire } from 'node:module';

/** A record as kafkajs hands it over, as far as it is used. */
interface ReadRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
  /** Decimal text. */
  readonly offset: string;
  /** When it was published, as decimal text: milliseconds since the epoch. */
  readonly timestamp: string;
}

/** A transaction that was aborted: its records are those of the producer from this offset to the abort marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Which leader wrote what was read, up to an offset: https://cwiki.apache.org/confluence/display/KAFKA/KIP-320 */
export interface EpochEnd {
  readonly epoch: number;
  /** The offset behind the last record of this epoch. */
  readonly end: number;
}

export interface ReadBatches {
  /** Committed records, from the asked offset on. */
  readonly records: readonly ReadRecord[];
  /** The offset to go on from: everything before it was handed out, is not committed, or is not there any more. */
  readonly next: number;
  /** In the order of the offsets; nothing of batches that name no epoch. */
  readonly epochs: readonly EpochEnd[];
}

interface Codec {
  decompress(buffer: Buffer): Promise<Buffer>;
}

const { lookupCodecByAttributes } = createRequire(import.meta.url)('kafkajs/src/protocol/message/compression/index.js') as {
  lookupCodecByAttributes(attributes: number): Codec | null;
};

/** Base offset and length, which the length does not count. */
const OVERHEAD = 12;
const AT = {
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
};
const MAGIC = 2;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** The type in a control record's key, behind its version. */
const ABORT = 0;

/** Record batches that cannot be read: another format, or bytes that are not a batch. */
export class UnreadableBatchError extends Error {
  override readonly name = 'UnreadableBatchError';
}

/**
 * Whole batches only: one that was cut off at the end of the answer comes again.
 *
 * @param from - the offset that was asked for; a batch that holds it may begin before
 * @throws UnreadableBatchError, or what the codec of a compressed batch throws
 */
export async function readBatches(buffer: Buffer, from: number, aborted: readonly AbortedTransaction[]): Promise<ReadBatches> {
  const records: ReadRecord[] = [];
  const transactions = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const epochs: EpochEnd[] = [];
  let next = from;
  let at = 0;
  while (at + AT.records <= buffer.length) {
    const size = buffer.readInt32BE(at + AT.length) + OVERHEAD;
    if (buffer.readInt8(at + AT.magic) !== MAGIC || size < AT.records) throw new UnreadableBatchError('Not a record batch of format 2');
    if (at + size > buffer.length) break;
    const batch = buffer.subarray(at, at + size);
    at += size;
    const lastOffset = Number(batch.readBigInt64BE(0)) + batch.readInt32BE(AT.lastOffsetDelta);
    const attributes = batch.readInt16BE(AT.attributes);
    const producerId = Number(batch.readBigInt64BE(AT.producerId));
    for (let first = transactions[0]; first !== undefined && first.firstOffset <= lastOffset; first = transactions[0]) {
      open.add(first.producerId);
      transactions.shift();
    }
    if ((attributes & CONTROL) !== 0) {
      if (isAbortMarker(batch)) open.delete(producerId);
    } else if ((attributes & TRANSACTIONAL) === 0 || !open.has(producerId)) {
      await readRecords(batch, attributes, from, records);
    }
    next = Math.max(next, lastOffset + 1);
    const epoch = batch.readInt32BE(AT.leaderEpoch);
    if (epochs.at(-1)?.epoch === epoch) epochs.pop();
    if (epoch >= 0) epochs.push({ epoch, end: next });
  }
  return { records, next, epochs };
}

function isAbortMarker(batch: Buffer): boolean {
  if (batch.readInt32BE(AT.count) < 1) return false;
  const reader = new RecordReader(batch, AT.records);
  reader.skipToKey();
  const key = reader.bytes();
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT;
}

async function readRecords(batch: Buffer, attributes: number, from: number, into: ReadRecord[]): Promise<void> {
  const count = batch.readInt32BE(AT.count);
  if (count <= 0) return;
  const codec = (attributes & CODEC_MASK) === 0 ? null : lookupCodecByAttributes(attributes);
  const reader =
    codec === null ? new RecordReader(batch, AT.records) : new RecordReader(await codec.decompress(batch.subarray(AT.records)), 0);
  const baseOffset = Number(batch.readBigInt64BE(0));
  const baseTimestamp = Number(batch.readBigInt64BE(AT.baseTimestamp));
  const appended = (attributes & LOG_APPEND_TIME) === 0 ? undefined : String(batch.readBigInt64BE(AT.maxTimestamp));
  for (let index = 0; index < count; index += 1) {
    const end = reader.varint() + reader.at;
    reader.at += 1; // attributes, which have no meaning yet
    const timestamp = appended ?? String(baseTimestamp + reader.varlong());
    const offset = baseOffset + reader.varint();
    if (offset >= from) {
      const key = reader.bytes();
      const value = reader.bytes();
      const headers = reader.headers();
      into.push(
        headers === undefined
          ? { key, value, offset: String(offset), timestamp }
          : { key, value, headers, offset: String(offset), timestamp },
      );
    }
    reader.at = end;
  }
}

class RecordReader {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  /** A zigzag integer of 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zigzag integer of 64 bits, as a number: differences of times. */
  varlong(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 10; length += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.at;
    this.at += length;
    if (this.at > this.#buffer.length) throw new UnreadableBatchError('A record is cut off');
    return this.#buffer.subarray(start, this.at);
  }

  headers(): Record<string, Buffer | Buffer[]> | undefined {
    const count = this.varint();
    if (count <= 0) return undefined;
    const headers: Record<string, Buffer | Buffer[]> = Object.create(null);
    for (let index = 0; index < count; index += 1) {
      const name = String(this.bytes() ?? '');
      const value = this.bytes() ?? Buffer.alloc(0);
      const before = headers[name];
      headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    return headers;
  }

  skipToKey(): void {
    this.varint();
    this.at += 1;
    this.varlong();
    this.varint();
  }

  #byte(): number {
    const byte = this.#buffer[this.at];
    if (byte === undefined) throw new UnreadableBatchError('A record is cut off');
    this.at += 1;
    return byte;
  }
}
