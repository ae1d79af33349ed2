// What the consumer needs of Kafka, and no more: batches with back-pressure, the moments at which partitions come and go,
// and commits. kafkajs stays behind this interface, because it may be replaced.
import type { RecordHeaders } from '@tailwater/schema';
import type { EpochHistory, ReadingPoint } from './epoch-history.js';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** By which a partition is found in a map: `<topic>/<partition>`. */
export const partitionName = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** The next offset that the group should read of a partition: everything before it is applied. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
  /** Kept with the commit. */
  readonly metadata?: string;
}

/** Where the group stands in a partition, and where that begins and ends. */
export interface GroupPartitionOffsets extends TopicPartition {
  /** Another when the topic was made anew; undefined when the brokers do not tell. */
  readonly topicId?: string | undefined;
  /** Undefined when the group has committed nothing: it reads from the beginning. */
  readonly committed: number | undefined;
  /** What was kept with the commit. */
  readonly metadata: string | null;
  readonly low: number;
  readonly end: number;
  /** When the partition's first record was published, in milliseconds since the epoch, where that is there still, and the group has committed nothing. */
  readonly bornAtMs?: number | undefined;
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
  /** Who wrote the partition up to the batch's end, as far as it is known. */
  readonly epochs: EpochHistory;
}

/**
 * Maintained invariants: `assign` precedes every `accept` of its partitions; once `release` has settled nothing of its partitions is under way, and nothing of
 * them is accepted before they are assigned again; a batch is accepted once per assignment, in offset order within its partition.
 */
export interface SubscriptionListener {
  /**
   * This process now owns these partitions too.
   *
   * @returns where to begin each, in the same order
   */
  assign(partitions: readonly GroupPartitionOffsets[]): readonly ReadingPoint[];
  /**
   * Waits for room for a moment, and for longer only while it may hold what it was given and there is no other reason to let go of it.
   *
   * @returns the offset to go on from: behind the batch, or the first record for which there was no room, or that came too late
   */
  accept(batch: FetchedBatch, signal: AbortSignal, mayHold: () => boolean): Promise<number>;
  /** Kafka has lost what was read of the partition behind this point: that counts no more, and reading begins there again. The partition ends at `end` now. */
  goBack(partition: TopicPartition, point: ReadingPoint, end: number): void;
  /** Whether there is room for more of the partition's topic than what was fetched of it already, as far as is known where its changes go. */
  hasCapacity(partition: TopicPartition): boolean;
  /** Resolves when there is room for changes of the partition, or the signal aborts. */
  untilCapacity(partition: TopicPartition, signal: AbortSignal): Promise<void>;
  /**
   * These partitions, or all, are about to be given back: stop, finish what is in flight, commit. Must settle within seconds.
   *
   * @returns false when a target that does not answer would not let go of these alone: everything was given up then
   */
  release(partitions?: readonly TopicPartition[]): Promise<boolean>;
  /** Others may own these partitions, or all, already: stop at once, commit nothing. */
  lose(partitions?: readonly TopicPartition[]): Promise<void>;
}

/** `refused`: the group has moved on, so the offsets are the next owner's to commit; what they cover is applied again. */
export type CommitOutcome = 'committed' | 'refused';

/** The group as this process sees it. */
export interface GroupView {
  /** Whether this process is a member and has been told what to read. */
  readonly isMember: boolean;
  /** Since when that has been so, or has not, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  /** Generations of the group that this process was in. */
  readonly rebalances: number;
  /** Answers of brokers that came too late to count. */
  readonly lateAnswers: number;
  /** The partitions of the group's topics that this process does not own, and what is committed of them; undefined while that is not known. */
  readonly elsewhere: { readonly partitions: number; readonly lag: number } | undefined;
  /** Partitions of the group's topics that no process has had for long, while something is left to read. */
  readonly nobodys: LatePartitions | undefined;
  /** Partitions given to this process that no broker has led for some seconds: nothing can be read of them. */
  readonly leaderless: readonly LeaderlessPartition[];
  /** Topics of this process that Kafka does not let it read. */
  readonly denied: readonly string[];
  /** Others that this process was given and cannot begin to read, because no broker tells the group's offsets in them. */
  readonly late: LatePartitions | undefined;
}

export interface LatePartitions {
  readonly partitions: number;
  /** For how long, in milliseconds. */
  readonly forMs: number;
}

export interface LeaderlessPartition extends TopicPartition {
  /** For how long, in milliseconds. */
  readonly forMs: number;
}

export interface Subscription {
  readonly group: GroupView;
  /** Reads until the signal aborts; rejects when Kafka refuses for good. Releases before it leaves the group. */
  run(signal: AbortSignal, listener: SubscriptionListener): Promise<void>;
  /**
   * Resolves while no other process can own what this process reads, or when the signal aborts. A process that was frozen does not know yet what it has lost.
   */
  held(signal: AbortSignal): Promise<void>;
  /** Whether that is so now. */
  readonly isHeld: boolean;
  /** Rejects when the broker cannot be reached; the caller tries again. */
  commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome>;
}
