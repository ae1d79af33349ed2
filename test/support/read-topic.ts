// What a topic holds, as a reader sees it who takes only what was committed.
import { randomUUID } from 'node:crypto';
import type { RecordHeaders } from '@tailwater/schema';
import { type Consumer, Kafka, logLevel } from 'kafkajs';

const READ_TIMEOUT_MS = 60_000;

export interface TopicRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  /** Null in a tombstone. */
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
}

/**
 * Reads all partitions from their beginning to where they end now, read-committed, in the order of partitions and offsets.
 * A transaction that is still open at the end is waited for: it may yet be committed.
 *
 * @param brokers - `host:port` each
 * @throws Error when the end is not reached within a minute
 */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = new Kafka({ clientId: 'read-topic', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const groupId = `read-topic-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    const ends = new Map(offsets.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high)]));
    if (ends.size === 0) return [];
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    return await readUpTo(consumer, ends);
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => undefined); // empty, it would expire by itself
    await admin.disconnect();
  }
}

async function readUpTo(consumer: Consumer, ends: ReadonlyMap<number, bigint>): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  const missing = new Map(ends);
  await new Promise<void>((resolve, reject) => {
    const overdue = () => reject(new Error(`Not read to the end within ${READ_TIMEOUT_MS} ms: ${JSON.stringify([...missing.keys()])}`));
    const timer = setTimeout(overdue, READ_TIMEOUT_MS);
    // The mark that ends a transaction takes an offset too, so the end is reached by a fetch and not by a record.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      if (BigInt(lastOffset) + 1n >= (ends.get(partition) ?? 0n)) missing.delete(partition);
      if (missing.size > 0) return;
      clearTimeout(timer);
      resolve();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    const running = consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const { offset, key, value, headers = {} } of messages) {
          if (BigInt(offset) < (ends.get(partition) ?? 0n)) records.push({ partition, offset: BigInt(offset), key, value, headers });
        }
      },
    });
    running.catch(reject);
  });
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}
