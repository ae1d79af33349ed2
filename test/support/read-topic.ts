// What a topic holds, as a reader sees it who takes only what was committed. kafkajs fetches and decodes it, another program than what the product reads with; a
// consumer group, whose first member waits for others, is not needed to read everything once.
import { createRequire } from 'node:module';
import { clusterFactory } from '@tailwater/runtime';
import type { RecordHeaders } from '@tailwater/schema';
import kafkajs, { type Cluster, type KafkaMessage } from 'kafkajs';

const { Kafka, logLevel } = kafkajs;

const READ_TIMEOUT_MS = 60_000;
const RETRY_MS = 50;
const MAX_WAIT_MS = 100;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const LATEST = -1;
const EARLIEST = -2;

export interface TopicRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  /** Null in a tombstone. */
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
}

/** What is used of kafkajs's broker and batch; its types leave it out. */
interface FetchingBroker {
  listOffsets(request: object): Promise<{ responses: readonly { partitions: readonly { partition: number; offset: string }[] }[] }>;
  fetch(request: object): Promise<{ responses: readonly { partitions: readonly object[] }[] }>;
}
interface FetchedBatch {
  readonly messages: readonly KafkaMessage[];
  readonly rawMessages: readonly unknown[];
  lastOffset(): string;
}
const Batch = createRequire(import.meta.url)('kafkajs/src/consumer/batch') as {
  new (topic: string, fetchedOffset: string, partition: object): FetchedBatch;
};

/**
 * Reads all partitions from their beginning to where they end now, read-committed, in the order of partitions and offsets.
 * A transaction that is still open at the end is waited for, also one whose commit was answered a moment ago: its markers
 * follow the answer.
 *
 * @param brokers - `host:port` each
 * @throws Error when the end is not reached within a minute
 */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = new Kafka({ clientId: 'read-topic', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const cluster = clusterFactory(kafka)?.create({ allowAutoTopicCreation: false });
  if (cluster === undefined) throw new TypeError('This version of kafkajs has no cluster to create');
  const deadline = performance.now() + READ_TIMEOUT_MS;
  const records: TopicRecord[] = [];
  await cluster.connect();
  try {
    await cluster.addTargetTopic(topic);
    const ranges = await patiently(cluster, deadline, () => rangesOf(cluster, topic));
    for (const { partition, low, end } of ranges) {
      for (let next = low; next < end; ) {
        const from = next;
        const batch = await patiently(cluster, deadline, () => fetch(cluster, topic, partition, from));
        for (const { offset, key, value, headers = {} } of batch.messages) {
          if (BigInt(offset) < end) records.push({ partition, offset: BigInt(offset), key, value, headers });
        }
        // What an open transaction hides comes later.
        if (batch.rawMessages.length > 0) next = BigInt(batch.lastOffset()) + 1n;
        if (performance.now() > deadline)
          throw new Error(`Not read to the end within ${READ_TIMEOUT_MS} ms: ${topic}-${partition} at ${next}`);
      }
    }
    return records;
  } finally {
    await cluster.disconnect();
  }
}

/** Where the partitions begin and end, open transactions included. */
async function rangesOf(cluster: Cluster, topic: string): Promise<{ partition: number; low: bigint; end: bigint }[]> {
  const ranges = cluster.findTopicPartitionMetadata(topic).map(async ({ partitionId: partition, leader }) => {
    const broker = (await cluster.findBroker({ nodeId: String(leader) })) as unknown as FetchingBroker;
    const offsetAt = async (timestamp: number): Promise<bigint> => {
      const topics = [{ topic, partitions: [{ partition, timestamp }] }];
      const { responses } = await broker.listOffsets({ isolationLevel: READ_UNCOMMITTED, topics });
      return BigInt(responses[0]?.partitions[0]?.offset ?? 0);
    };
    const [low, end] = await Promise.all([offsetAt(EARLIEST), offsetAt(LATEST)]);
    return { partition, low, end };
  });
  return (await Promise.all(ranges)).sort((a, b) => a.partition - b.partition);
}

async function fetch(cluster: Cluster, topic: string, partition: number, from: bigint): Promise<FetchedBatch> {
  const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader;
  const broker = (await cluster.findBroker({ nodeId: String(leader) })) as unknown as FetchingBroker;
  const partitions = [{ partition, fetchOffset: String(from), maxBytes: 10_485_760 }];
  const request = { isolationLevel: READ_COMMITTED, maxWaitTime: MAX_WAIT_MS, topics: [{ topic, partitions }] };
  const { responses } = await broker.fetch(request);
  const [answer] = responses[0]?.partitions ?? [];
  if (answer === undefined) throw new Error(`Nothing was answered of ${topic}-${partition}`);
  return new Batch(topic, String(from), answer);
}

/** A leader that has just changed, or that is not known yet, is asked for again. */
async function patiently<T>(cluster: Cluster, deadline: number, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if ((error as { readonly retriable?: unknown }).retriable !== true || performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    await cluster.refreshMetadata().catch(() => undefined);
  }
}
