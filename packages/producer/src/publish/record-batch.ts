// A Kafka record batch, version 2, written straight into the request: sizes first, then every byte once, and no object per
// record. https://kafka.apache.org/documentation/#recordbatch
import type { OutgoingRecord } from '../encode/record-encoder.js';
import { crc32c } from './crc32c.js';

/** Where the fields of a batch begin, from its start. */
const LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const FIRST_SEQUENCE_AT = 53;
const COUNT_AT = 57;
const RECORDS_AT = 61;

const MAGIC = 2;
const TRANSACTIONAL = 0x10;
/** A record's attributes and its timestamp's difference from the batch's, which is 0: a byte each. */
const FIXED_BYTES = 2;
const NULL_LENGTH = -1;

/** What a batch says about itself. */
export interface BatchHeader {
  readonly timestampMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly transactional: boolean;
}

/** The batch's size in bytes. */
export function batchSize(records: readonly OutgoingRecord[]): number {
  let size = RECORDS_AT;
  for (let n = 0; n < records.length; n++) {
    const body = bodySize(records[n] as OutgoingRecord, n);
    size += varintSize(body) + body;
  }
  return size;
}

/** Writes the batch at `start`, where there is room for its size, and returns where it ends. */
export function writeBatch(out: Buffer, start: number, records: readonly OutgoingRecord[], header: BatchHeader): number {
  let at = start + RECORDS_AT;
  for (let n = 0; n < records.length; n++) at = writeRecord(out, at, records[n] as OutgoingRecord, n);
  const timestamp = BigInt(header.timestampMs);
  out.writeBigInt64BE(0n, start);
  out.writeInt32BE(at - start - LEADER_EPOCH_AT, start + LENGTH_AT);
  out.writeInt32BE(0, start + LEADER_EPOCH_AT);
  out[start + MAGIC_AT] = MAGIC;
  out.writeInt16BE(header.transactional ? TRANSACTIONAL : 0, start + ATTRIBUTES_AT);
  out.writeInt32BE(records.length - 1, start + LAST_OFFSET_DELTA_AT);
  out.writeBigInt64BE(timestamp, start + FIRST_TIMESTAMP_AT);
  out.writeBigInt64BE(timestamp, start + MAX_TIMESTAMP_AT);
  out.writeBigInt64BE(header.producerId, start + PRODUCER_ID_AT);
  out.writeInt16BE(header.producerEpoch, start + PRODUCER_EPOCH_AT);
  out.writeInt32BE(header.firstSequence, start + FIRST_SEQUENCE_AT);
  out.writeInt32BE(records.length, start + COUNT_AT);
  out.writeUInt32BE(crc32c(out, start + ATTRIBUTES_AT, at), start + CRC_AT);
  return at;
}

function bodySize({ key, value, headers }: OutgoingRecord, offsetDelta: number): number {
  let size = FIXED_BYTES + varintSize(offsetDelta) + varintSize(key.length) + key.length;
  size += value === null ? varintSize(NULL_LENGTH) : varintSize(value.length) + value.length;
  if (headers === undefined) return size + varintSize(0);
  let count = 0;
  for (const name in headers) {
    count += 1;
    size += textSize(name) + textSize(headers[name] as string);
  }
  return size + varintSize(count);
}

function writeRecord(out: Buffer, start: number, record: OutgoingRecord, offsetDelta: number): number {
  const { key, value, headers } = record;
  let at = writeVarint(out, start, bodySize(record, offsetDelta));
  out[at++] = 0;
  out[at++] = 0;
  at = writeVarint(out, at, offsetDelta);
  at = writeBytes(out, at, key);
  at = value === null ? writeVarint(out, at, NULL_LENGTH) : writeBytes(out, at, value);
  if (headers === undefined) return writeVarint(out, at, 0);
  at = writeVarint(out, at, Object.keys(headers).length);
  for (const name in headers) at = writeText(out, writeText(out, at, name), headers[name] as string);
  return at;
}

function writeBytes(out: Buffer, start: number, bytes: Buffer): number {
  const at = writeVarint(out, start, bytes.length);
  out.set(bytes, at);
  return at + bytes.length;
}

function writeText(out: Buffer, start: number, text: string): number {
  const at = writeVarint(out, start, Buffer.byteLength(text));
  return at + out.write(text, at);
}

const textSize = (text: string): number => {
  const bytes = Buffer.byteLength(text);
  return varintSize(bytes) + bytes;
};

/** The size of a zigzag varint, https://protobuf.dev/programming-guides/encoding/#signed-ints */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = zigzag(value); rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

function writeVarint(out: Buffer, start: number, value: number): number {
  let at = start;
  let rest = zigzag(value);
  for (; rest > 0x7f; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
  out[at++] = rest;
  return at;
}

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;
