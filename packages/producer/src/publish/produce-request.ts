// The body of a Produce request, versions 3 to 7, in one buffer that is filled once.
// https://kafka.apache.org/protocol#The_Messages_Produce
import type { OutgoingRecord } from '../encode/record-encoder.js';
import { allocateLarge } from '../memory/large-buffers.js';
import { batchSize, writeBatch } from './record-batch.js';

export interface ProduceRequest {
  readonly transactionalId: string | null;
  readonly acks: number;
  /** How long the broker waits for its replicas, in milliseconds. */
  readonly timeout: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly topics: readonly ProducedTopic[];
}

export interface ProducedTopic {
  readonly topic: string;
  readonly partitions: readonly ProducedPartition[];
}

interface ProducedPartition {
  readonly partition: number;
  /** The sequence number of the first record, by which the broker knows repetitions. */
  readonly firstSequence: number;
  readonly messages: readonly OutgoingRecord[];
}

/** Room kept between requests; a larger one is given back. */
const KEEP_BYTES = 8 * 1024 * 1024;

/** Writes requests into one buffer, each over the last. */
export class ProduceRequestWriter {
  #buffer = Buffer.allocUnsafeSlow(0);

  /** The request's body, valid until the next one is written. */
  write(request: ProduceRequest, nowMs: number): Buffer {
    const { transactionalId, topics } = request;
    const sizes = topics.map(({ partitions }) => partitions.map(({ messages }) => batchSize(messages)));
    const out = this.#room(sizeOf(request, sizes));
    let at = writeString(out, 0, transactionalId);
    at = out.writeInt16BE(request.acks, at);
    at = out.writeInt32BE(request.timeout, at);
    at = out.writeInt32BE(topics.length, at);
    for (const [t, { topic, partitions }] of topics.entries()) {
      at = writeString(out, at, topic);
      at = out.writeInt32BE(partitions.length, at);
      for (const [p, { partition, firstSequence, messages }] of partitions.entries()) {
        at = out.writeInt32BE(partition, at);
        at = out.writeInt32BE(sizes[t]?.[p] as number, at);
        const { producerId, producerEpoch } = request;
        const header = { timestampMs: nowMs, producerId, producerEpoch, firstSequence, transactional: transactionalId !== null };
        at = writeBatch(out, at, messages, header);
      }
    }
    return out.subarray(0, at);
  }

  #room(size: number): Buffer {
    if (size > KEEP_BYTES) return allocateLarge(size);
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(Math.min(KEEP_BYTES, size + (size >> 2)));
    return this.#buffer;
  }
}

function sizeOf({ transactionalId, topics }: ProduceRequest, sizes: readonly (readonly number[])[]): number {
  let size = 2 + Buffer.byteLength(transactionalId ?? '') + 2 + 4 + 4;
  for (const [t, { topic }] of topics.entries()) {
    size += 2 + Buffer.byteLength(topic) + 4;
    for (const batch of sizes[t] as readonly number[]) size += 4 + 4 + batch;
  }
  return size;
}

function writeString(out: Buffer, start: number, text: string | null): number {
  if (text === null) return out.writeInt16BE(-1, start);
  const at = out.writeInt16BE(Buffer.byteLength(text), start);
  return at + out.write(text, at);
}
