// What the consumer needs of Kafka, and no more: batches with back-pressure, the moments at which partitions come and go,
// and commits. kafkajs stays behind this interface, because it may be replaced.
import type { RecordHeaders } from '@tailwater/schema';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The next offset that the group should read of a partition: everything before it is applied. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
  /** Kept with the commit. */
  readonly metadata?: string;
}

/** Where the group stands in a partition, and where that begins and ends. */
export interface PartitionStanding extends TopicPartition {
  /** Undefined when the group has committed nothing: it reads from the beginning. */
  readonly committed: number | undefined;
  /** What was kept with the commit. */
  readonly metadata: string | null;
  readonly low: number;
  readonly end: number;
  /** How long the topic keeps tombstones, in milliseconds; infinite when that is not known. */
  readonly tombstonesKeptMs: number;
}

export interface FetchedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders | undefined;
  /** Decimal text, as clients hand it over: the hot path makes no copy of a record to change it. */
  readonly offset: string;
  /** When it was published, as decimal text: milliseconds since the epoch. */
  readonly timestamp?: string;
}

export interface FetchedBatch extends TopicPartition {
  /** Committed records only, in offset order. */
  readonly records: readonly FetchedRecord[];
  /** The last offset the batch covers, transaction markers and aborted records included. */
  readonly lastOffset: number;
  /** The offset after the partition's last record when the batch was read. */
  readonly highWatermark: number;
}

/**
 * Maintained invariants: `assign` precedes every `accept` of its partitions; between the settling of `release` and the
 * next `assign` nothing is accepted; a batch is accepted once per assignment, in offset order within its partition.
 */
export interface SubscriptionListener {
  /** This process now owns exactly these partitions. What an earlier assignment left behind is somebody else's. */
  assign(partitions: readonly TopicPartition[]): void;
  /**
   * Resolves when there is room for more: until then nothing is fetched. Gives up when the signal aborts.
   *
   * @returns whether all of the batch was taken; one that was not comes again
   */
  accept(batch: FetchedBatch, signal: AbortSignal): Promise<boolean>;
  /** Partitions are about to be given back: stop, finish what is in flight, commit. Must settle within seconds. */
  release(): Promise<void>;
}

/** `refused`: the group has moved on, so the offsets are the next owner's to commit; what they cover is applied again. */
export type CommitOutcome = 'committed' | 'refused';

export interface Subscription {
  /** Reads until the signal aborts; rejects when Kafka refuses for good. Releases before it leaves the group. */
  run(signal: AbortSignal, listener: SubscriptionListener): Promise<void>;
  /** Rejects when the broker cannot be reached; the caller tries again. */
  commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome>;
  /** Where the group stands in these partitions; rejects when the broker cannot be reached. */
  standing(partitions: readonly TopicPartition[]): Promise<readonly PartitionStanding[]>;
}
