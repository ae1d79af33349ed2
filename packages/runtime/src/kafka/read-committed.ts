// Reads one partition, committed records only, without a consumer group: a group that was empty makes its first member wait (by
// default 3 s), which a producer that takes over must not, needs a right of its own, and has to be deleted afterwards.
import type { Cluster } from 'kafkajs';
import { sleep } from '../async/sleep.js';
import { type ConnectedCluster, connectCluster } from './connect-cluster.js';
import type { KafkaClient } from './create-kafka.js';
import { type CommittedRecords, fetchCommitted } from './fetch-committed.js';
import { toKafkaError } from './kafka-errors.js';

/** Pause before the partition's leader is looked for again, in milliseconds. */
const RETRY_MS = 100;
const MAX_WAIT_MS = 50;

export interface CommittedPartition {
  readonly topic: string;
  readonly partition: number;
  /** How long brokers that are away are looked for, in milliseconds since a request was first tried. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
  /** How long the broker holds a fetch at the partition's end, in milliseconds. Default 50. */
  readonly maxWaitMs?: number;
}

export interface ReadCommittedOptions extends CommittedPartition {
  /** The offset to begin at. Default the oldest. */
  readonly from?: bigint;
}

/** The offsets between which a partition has records that are committed or aborted: the first that is open ends it. */
export interface StableRange {
  readonly low: bigint;
  readonly end: bigint;
}

/** Reads partitions one after the other by one set of connections. */
export class CommittedReader implements AsyncDisposable {
  readonly #kafka: KafkaClient;
  readonly #connected: ConnectedCluster;

  private constructor(kafka: KafkaClient, connected: ConnectedCluster) {
    this.#kafka = kafka;
    this.#connected = connected;
  }

  /** @throws the coded error for what no retry cures */
  static async open(kafka: KafkaClient): Promise<CommittedReader> {
    return new CommittedReader(kafka, await connectCluster(kafka, 'reader'));
  }

  /** @throws as `read` */
  async range(place: CommittedPartition): Promise<StableRange> {
    const [low, end] = await this.#patiently(place, (cluster) =>
      Promise.all([offset(cluster, place, true), offset(cluster, place, false)]),
    );
    return { low, end };
  }

  /**
   * Yields one fetch after the other, empty ones too, until the caller has seen enough.
   *
   * @throws the coded error for what no retry cures, or what could not be cured in time; the signal's reason once it aborts
   */
  async *read(options: ReadCommittedOptions): AsyncGenerator<CommittedRecords> {
    const { topic, partition, maxWaitMs = MAX_WAIT_MS } = options;
    for (let next = options.from ?? (await this.range(options)).low; ; ) {
      const fetched = await this.#patiently(options, (cluster) => fetchCommitted(cluster, { topic, partition, from: next, maxWaitMs }));
      next = fetched.next;
      yield fetched;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connected.close();
  }

  /** A leader that has just changed, or a connection that was lost, is tried again. */
  async #patiently<T>({ topic, patienceMs, signal }: CommittedPartition, work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const { cluster } = this.#connected;
    for (const sinceMs = performance.now(); ; ) {
      signal?.throwIfAborted();
      try {
        await cluster.addTargetTopic(topic);
        return await work(cluster);
      } catch (error) {
        const passes = (error as { retriable?: unknown }).retriable === true;
        if (!passes || performance.now() - sinceMs > patienceMs) throw toKafkaError(error, this.#kafka.brokers);
      }
      await sleep(RETRY_MS, signal);
      await cluster.refreshMetadata().catch(() => undefined);
    }
  }
}

/** Where the partition begins, or where what is committed ends. */
async function offset(cluster: Cluster, { topic, partition }: CommittedPartition, fromBeginning: boolean): Promise<bigint> {
  const [offsets] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
  return BigInt(offsets?.partitions[0]?.offset ?? '0');
}
