// The records of a fetch, those of aborted transactions left out. kafkajs decodes through several objects a record, and forgets batches
// that compaction has emptied: a reader that comes to one at the end of a partition would ask for it for ever. Here a batch is walked over
// in place, and what it spans is known whether or not anything is left in it. https://kafka.apache.org/documentation/#recordbatch
import { createRequire } from 'node:module';
import type { IHeaders, KafkaMessage } from 'kafkajs';

const BASE_OFFSET_AT = 0;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const PRODUCER_ID_AT = 43;
const COUNT_AT = 57;
const RECORDS_AT = 61;
/** Of the fields before the length, and the length itself. */
const OVERHEAD_BYTES = 12;

const MAGIC = 2;
const CODEC = 0x07;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** The second number of a marker's key: the transaction was aborted. https://kafka.apache.org/documentation/#controlbatch */
const ABORT = 0;

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

interface Codec {
  decompress(bytes: Buffer): Promise<Buffer>;
}

const require = createRequire(import.meta.url);
const { lookupCodecByAttributes } = require('kafkajs/src/protocol/message/compression') as {
  lookupCodecByAttributes(attributes: number): Codec | null;
};

/**
 * The committed records at or behind `from`, and the offset behind the last batch; `from` itself where there is no whole batch.
 *
 * @param aborted - in any order: a broker gives them as they ended, and of several producers the one that began first may end last
 */
export async function committedRecords(
  bytes: Buffer,
  from: bigint,
  aborted: readonly AbortedTransaction[],
): Promise<{ records: KafkaMessage[]; next: bigint }> {
  const records: KafkaMessage[] = [];
  const active = new Set<bigint>();
  const transactions = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  let next = from;
  let upcoming = 0;
  for (let at = 0; at + RECORDS_AT <= bytes.length; ) {
    const end = at + OVERHEAD_BYTES + bytes.readInt32BE(at + LENGTH_AT);
    // The last one of a fetch may be cut off.
    if (end > bytes.length) break;
    if (bytes[at + MAGIC_AT] !== MAGIC) throw new TypeError(`A record batch of the version ${bytes[at + MAGIC_AT]} cannot be read`);
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
    const last = bytes.readBigInt64BE(at + BASE_OFFSET_AT) + BigInt(bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT));
    const producerId = bytes.readBigInt64BE(at + PRODUCER_ID_AT);
    for (; upcoming < transactions.length && (transactions[upcoming] as AbortedTransaction).firstOffset <= last; upcoming++) {
      active.add((transactions[upcoming] as AbortedTransaction).producerId);
    }
    if (attributes & CONTROL) {
      if (isAbort(bytes, at + RECORDS_AT, end)) active.delete(producerId);
    } else if (!(attributes & TRANSACTIONAL && active.has(producerId))) {
      await readRecords(bytes.subarray(at, end), attributes, from, records);
    }
    next = last + 1n;
    at = end;
  }
  return { records, next: next > from ? next : from };
}

async function readRecords(batch: Buffer, attributes: number, from: bigint, into: KafkaMessage[]): Promise<void> {
  const codec = attributes & CODEC ? lookupCodecByAttributes(attributes) : null;
  const body = batch.subarray(RECORDS_AT);
  const reader = new RecordReader(codec === null ? body : await codec.decompress(body));
  const baseOffset = batch.readBigInt64BE(BASE_OFFSET_AT);
  const firstTimestamp = batch.readBigInt64BE(FIRST_TIMESTAMP_AT);
  for (let left = batch.readInt32BE(COUNT_AT); left > 0; left--) {
    const record = reader.next(baseOffset, firstTimestamp);
    if (record.offset >= from) into.push({ ...record, offset: record.offset.toString() });
  }
}

/** An empty batch, whose marker compaction has removed, ends nothing. */
function isAbort(bytes: Buffer, start: number, end: number): boolean {
  if (start >= end) return false;
  const reader = new RecordReader(bytes.subarray(start, end));
  return reader.next(0n, 0n).key?.readInt16BE(2) === ABORT;
}

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(baseOffset: bigint, firstTimestamp: bigint): Omit<KafkaMessage, 'offset' | 'size'> & { offset: bigint; headers: IHeaders } {
    const size = this.#varint();
    const end = this.#at + size;
    const attributes = this.#bytes[this.#at++] as number;
    const timestamp = (firstTimestamp + this.#varlong()).toString();
    const offset = baseOffset + BigInt(this.#varint());
    const key = this.#field();
    const value = this.#field();
    const headers: IHeaders = {};
    for (let left = this.#varint(); left > 0; left--) addHeader(headers, String(this.#field()), this.#field() ?? undefined);
    this.#at = end;
    return { attributes, timestamp, offset, key, value, headers };
  }

  #field(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #varint(): number {
    const byte = this.#bytes[this.#at] as number;
    if (byte < 0x80) {
      this.#at += 1;
      return (byte >>> 1) ^ -(byte & 1);
    }
    return Number(BigInt.asIntN(32, this.#varlong()));
  }

  #varlong(): bigint {
    let low = 0;
    let shift = 0;
    // What fits a number, as nearly all do, is read without a bigint.
    for (; shift < 28; shift += 7) {
      const byte = this.#bytes[this.#at++] as number;
      low += (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1));
    }
    let zigzag = BigInt(low);
    for (; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++] as number;
      zigzag |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) break;
    }
    return (zigzag >> 1n) ^ -(zigzag & 1n);
  }
}

/** As kafkajs gives them: several of one name are a list. */
function addHeader(headers: IHeaders, name: string, value: Buffer | undefined): void {
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else headers[name] = Array.isArray(known) ? [...known, value as Buffer] : [known as Buffer, value as Buffer];
}
