// Reads one partition, committed records only, without a consumer group: a group that was empty makes its first member wait (by
// default 3 s), which a producer that takes over must not, needs a right of its own, and has to be deleted afterwards.
// kafkajs has no such reader, but hands its cluster to whoever assigns partitions, and that can fetch.
import { createRequire } from 'node:module';
import type { Cluster, Consumer, KafkaMessage } from 'kafkajs';
import { sleep } from '../lifecycle/sleep.js';
import type { KafkaClient } from './create-kafka.js';
import { toKafkaError } from './kafka-errors.js';

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

export interface ReadCommittedOptions {
  readonly topic: string;
  readonly partition: number;
  /** The offset to begin at. Default the oldest. */
  readonly from?: bigint;
  /** How long brokers that are away are looked for, in milliseconds since the last fetch that worked. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
}

const Batch = createRequire(import.meta.url)('kafkajs/src/consumer/batch.js') as BatchClass;

/** Reads partitions one after the other by one set of connections. */
export class CommittedReader implements AsyncDisposable {
  readonly #kafka: KafkaClient;
  readonly #consumer: Consumer;
  readonly #cluster: Cluster;

  private constructor(kafka: KafkaClient, consumer: Consumer, cluster: Cluster) {
    this.#kafka = kafka;
    this.#consumer = consumer;
    this.#cluster = cluster;
  }

  /** @throws the coded error for what no retry cures */
  static async open(kafka: KafkaClient): Promise<CommittedReader> {
    let cluster: Cluster | undefined;
    const consumer = kafka.consumer({
      groupId: 'reader',
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
      return new CommittedReader(kafka, consumer, cluster as unknown as Cluster);
    } catch (error) {
      await consumer.disconnect();
      throw toKafkaError(error, kafka.brokers);
    }
  }

  /**
   * Yields one fetch after the other, empty ones too, until the caller has seen enough.
   *
   * @throws the coded error for what no retry cures, or what could not be cured in time; the signal's reason once it aborts
   */
  async *read(options: ReadCommittedOptions): AsyncGenerator<CommittedRecords> {
    try {
      yield* readFrom(this.#cluster, options);
    } catch (error) {
      throw toKafkaError(error, this.#kafka.brokers);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.disconnect();
  }
}

/**
 * Yields one fetch of a partition after the other, empty ones too, until the caller has seen enough.
 *
 * @throws the coded error for what no retry cures, or what could not be cured in time; the signal's reason once it aborts
 */
export async function* readCommitted(kafka: KafkaClient, options: ReadCommittedOptions): AsyncGenerator<CommittedRecords> {
  await using reader = await CommittedReader.open(kafka);
  yield* reader.read(options);
}

async function* readFrom(cluster: Cluster, options: ReadCommittedOptions): AsyncGenerator<CommittedRecords> {
  await cluster.addTargetTopic(options.topic);
  let next = options.from;
  let workedAtMs = performance.now();
  while (true) {
    options.signal?.throwIfAborted();
    let fetched: CommittedRecords;
    try {
      next ??= await firstOffset(cluster, options);
      fetched = await fetchOnce(cluster, options, next);
    } catch (error) {
      // A leader that has just changed, or a connection that was lost.
      if ((error as { retriable?: unknown }).retriable !== true || performance.now() - workedAtMs > options.patienceMs) throw error;
      await sleep(RETRY_MS, options.signal);
      await cluster.refreshMetadata();
      continue;
    }
    next = fetched.next;
    yield fetched;
    // The caller may have taken its time.
    workedAtMs = performance.now();
  }
}

async function firstOffset(cluster: Cluster, { topic, partition }: ReadCommittedOptions): Promise<bigint> {
  const [offsets] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }]);
  return BigInt(offsets?.partitions[0]?.offset ?? '0');
}

async function fetchOnce(cluster: Cluster, { topic, partition }: ReadCommittedOptions, from: bigint): Promise<CommittedRecords> {
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  const broker = await cluster.findBroker({ nodeId: leader as string });
  const { responses } = await broker.fetch({
    isolationLevel: READ_COMMITTED,
    maxWaitTime: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: MAX_BYTES,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: MAX_BYTES }] }],
    rackId: '',
  });
  const fetched = responses[0]?.partitions[0] as unknown as FetchedPartition;
  const { messages, messagesWithinOffset } = new Batch(topic, String(from), fetched);
  const last = messagesWithinOffset.at(-1);
  return { records: messages, next: last === undefined ? from : BigInt(last.offset) + 1n, end: BigInt(fetched.highWatermark) };
}
