// What a topic holds, as a reader sees it who takes only what was committed.
import { randomUUID } from 'node:crypto';
import type { RecordHeaders } from '@tailwater/schema';
import kafkajs, { type Cluster, type Consumer, type EachBatchHandler, type PartitionAssigner } from 'kafkajs';

const { Kafka, PartitionAssigners, logLevel } = kafkajs;

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
 * A transaction that is still open at the end is waited for, also one whose commit was answered a moment ago: its markers
 * follow the answer.
 *
 * @param brokers - `host:port` each
 * @throws Error when the end is not reached within a minute
 */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = new Kafka({ clientId: 'read-topic', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const groupId = `read-topic-${randomUUID()}`;
  let cluster: Cluster | undefined;
  // An assigner is handed the cluster, which alone can be asked for ends that count open transactions.
  const assigner: PartitionAssigner = (config) => {
    cluster = config.cluster;
    return PartitionAssigners.roundRobin(config);
  };
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false, partitionAssigners: [assigner] });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    return await readToEnd(consumer, () => endsOf(cluster as Cluster, topic));
  } finally {
    await consumer.disconnect();
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteGroups([groupId]).catch(() => undefined); // empty, it would expire by itself
    await admin.disconnect();
  }
}

/** What is used of kafkajs's broker; its types leave out the level. */
interface OffsetBroker {
  listOffsets(request: object): Promise<{ responses: readonly { partitions: readonly { partition: number; offset: string }[] }[] }>;
}

const READ_UNCOMMITTED = 0;
const LATEST = -1;

/** Where the partitions end that hold anything. */
async function endsOf(cluster: Cluster, topic: string): Promise<Map<number, bigint>> {
  const ends = new Map<number, bigint>();
  for (const { partitionId, leader } of cluster.findTopicPartitionMetadata(topic)) {
    const broker = (await cluster.findBroker({ nodeId: String(leader) })) as unknown as OffsetBroker;
    const partitions = [{ partition: partitionId, timestamp: LATEST }];
    const { responses } = await broker.listOffsets({ isolationLevel: READ_UNCOMMITTED, topics: [{ topic, partitions }] });
    const end = BigInt(responses[0]?.partitions[0]?.offset ?? 0);
    if (end > 0n) ends.set(partitionId, end);
  }
  return ends;
}

async function readToEnd(consumer: Consumer, findEnds: () => Promise<Map<number, bigint>>): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  const reached = new Map<number, bigint>();
  let ends: ReadonlyMap<number, bigint> | undefined;
  const missing = (): number[] =>
    [...(ends?.keys() ?? [])].filter((partition) => (reached.get(partition) ?? 0n) < (ends?.get(partition) ?? 0n));
  await new Promise<void>((resolve, reject) => {
    const overdue = () => reject(new Error(`Not read to the end within ${READ_TIMEOUT_MS} ms: ${JSON.stringify(missing())}`));
    const timer = setTimeout(overdue, READ_TIMEOUT_MS);
    const resolveAtEnd = (): void => {
      if (ends === undefined || missing().length > 0) return;
      clearTimeout(timer);
      resolve();
    };
    // The mark that ends a transaction takes an offset too, so the end is reached by a fetch and not by a record.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      reached.set(partition, BigInt(lastOffset) + 1n);
      resolveAtEnd();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    // A group that is not served yet crashes the consumer and starts it again, which forgets what it knew of the cluster:
    // only a join says that it knows, and after a further crash the next one asks again.
    const resolveWithEnds = async (): Promise<void> => {
      ends ??= await findEnds();
      resolveAtEnd();
    };
    consumer.on(consumer.events.GROUP_JOIN, () => {
      resolveWithEnds().catch((error: Error) => {
        if (error.name !== 'KafkaJSTopicMetadataNotLoaded') reject(error);
      });
    });
    const eachBatch: EachBatchHandler = async ({ batch: { partition, messages } }) => {
      for (const { offset, key, value, headers = {} } of messages) records.push({ partition, offset: BigInt(offset), key, value, headers });
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  return records
    .filter(({ partition, offset }) => offset < (ends?.get(partition) ?? 0n))
    .sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}
