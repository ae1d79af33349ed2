// Reads partition 0 of a topic from its beginning, committed records only, without a consumer group: a group that was empty
// makes its first member wait (by default 3 s), which a producer that takes over must not, and has to be deleted afterwards.
// kafkajs has no such reader, but hands its cluster to whoever assigns partitions, and that can fetch.
import { createRequire } from 'node:module';
import { type KafkaClient, sleep, toKafkaError } from '@tailwater/runtime';
import type { Cluster, KafkaMessage } from 'kafkajs';

const READ_COMMITTED = 1;
const MAX_WAIT_MS = 50;
const MAX_BYTES = 8 * 1024 * 1024;
/** Pause before the partition's leader is looked for again, in milliseconds. */
const RETRY_MS = 100;

/** What one fetch brought. */
export interface CommittedRecords {
  readonly records: readonly KafkaMessage[];
  /** The offset to go on from: everything before it has been handed out, or was not committed. */
  readonly next: bigint;
  /** The offset behind the partition's last record, committed or not. */
  readonly end: bigint;
}

/** kafkajs's own, which leaves out what was aborted; its types do not mention it. */
type BatchClass = new (
  topic: string,
  offset: string,
  partition: FetchedPartition,
) => { readonly messages: readonly KafkaMessage[]; readonly messagesWithinOffset: readonly KafkaMessage[] };

interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
}

const Batch = createRequire(import.meta.url)('kafkajs/src/consumer/batch.js') as BatchClass;

/**
 * Yields one fetch after the other, empty ones too, until the caller has seen enough. Brokers that are away are looked for
 * until `deadlineMs` of the monotonic clock.
 *
 * @throws the coded error for what no retry cures, or what could not be cured in time
 */
export async function* readCommitted(kafka: KafkaClient, topic: string, deadlineMs: number): AsyncGenerator<CommittedRecords> {
  let cluster: Cluster | undefined;
  const consumer = kafka.consumer({
    groupId: `${topic}.reader`,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster;
        return { name: 'none', version: 0, assign: async () => [], protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }) };
      },
    ],
  });
  try {
    await consumer.connect();
    yield* readFrom(cluster as Cluster, topic, deadlineMs);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await consumer.disconnect();
  }
}

async function* readFrom(cluster: Cluster, topic: string, deadlineMs: number): AsyncGenerator<CommittedRecords> {
  await cluster.addTargetTopic(topic);
  let next: bigint | undefined;
  while (true) {
    let fetched: CommittedRecords;
    try {
      next ??= await firstOffset(cluster, topic);
      fetched = await fetchOnce(cluster, topic, next);
    } catch (error) {
      // A leader that has just changed, or a connection that was lost.
      if ((error as { retriable?: unknown }).retriable !== true || performance.now() > deadlineMs) throw error;
      await sleep(RETRY_MS);
      await cluster.refreshMetadata();
      continue;
    }
    next = fetched.next;
    yield fetched;
  }
}

async function firstOffset(cluster: Cluster, topic: string): Promise<bigint> {
  const [offsets] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition: 0 }], fromBeginning: true }]);
  return BigInt(offsets?.partitions[0]?.offset ?? '0');
}

async function fetchOnce(cluster: Cluster, topic: string, from: bigint): Promise<CommittedRecords> {
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [0]));
  const broker = await cluster.findBroker({ nodeId: leader as string });
  const { responses } = await broker.fetch({
    isolationLevel: READ_COMMITTED,
    maxWaitTime: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: MAX_BYTES,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset: String(from), maxBytes: MAX_BYTES }] }],
    rackId: '',
  });
  const partition = responses[0]?.partitions[0] as unknown as FetchedPartition;
  const { messages, messagesWithinOffset } = new Batch(topic, String(from), partition);
  const last = messagesWithinOffset.at(-1);
  return { records: messages, next: last === undefined ? from : BigInt(last.offset) + 1n, end: BigInt(partition.highWatermark) };
}
