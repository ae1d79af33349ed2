// The partitions of one assignment and how far each is applied. An assignment ends as a whole: what its changes report
// afterwards moves its own watermarks, never those of the next one.

import type { Delivery, Outcome } from '../apply/delivery.js';
import type { Change } from '../change.js';
import type { FetchedRecord, PartitionOffset, PartitionStanding, TopicPartition } from '../subscribe/subscription.js';
import { Freshness, formatNote, parseNote } from './freshness.js';
import { Watermark } from './watermark.js';

export class PartitionProgress implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly watermark = new Watermark();
  /** The offset after the partition's last record, as the last batch told. */
  highWatermark = 0;
  /** When the last record that was read was published, in milliseconds since the epoch. */
  publishedAtMs: number | undefined;
  /** The offset that this process committed last. */
  committed: number | undefined;
  revoked = false;
  /** Where the group stood when this process got the partition; undefined until that is known. */
  #begun: number | undefined;
  #freshness: Freshness | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Where the group begins, and how fresh it was then: see {@link Assignment.begin}. */
  begin(standing: PartitionStanding, nowMs: number, offsetsForgotten: boolean): boolean {
    const { committed, metadata, low, end, tombstonesKeptMs } = standing;
    this.#begun = Math.max(low, committed ?? low);
    this.highWatermark = Math.max(end, this.highWatermark);
    const note = committed === undefined && offsetsForgotten ? { freshAtMs: 0 } : parseNote(metadata);
    this.#freshness = new Freshness(note, tombstonesKeptMs, nowMs);
    // What was left then decides: by now some of it may have been read.
    return this.#freshness.advance({ lag: Math.max(0, end - this.#begun), publishedAtMs: undefined }, nowMs);
  }

  /** The offset to go on from; undefined until it is known. */
  get next(): number | undefined {
    return this.watermark.next ?? this.#begun;
  }

  /** Records done with since this process got the partition, and those that are left. */
  get sinceBegun(): { readonly done: number; readonly left: number } {
    const { next, lag } = this;
    return { done: Math.max(0, (next ?? 0) - (this.#begun ?? next ?? 0)), left: lag };
  }

  /** Records between what is applied and the end of the partition; 0 until both are known. */
  get lag(): number {
    const { next } = this;
    return next === undefined ? 0 : Math.max(0, this.highWatermark - next);
  }

  /** When deletes may have been missed, if ever. */
  get missed(): Freshness['missed'] {
    return this.#freshness?.missed;
  }

  /** @returns whether deletes may have been missed that were not known to be before */
  advance(nowMs: number): boolean {
    return this.#freshness?.advance({ lag: this.lag, publishedAtMs: this.publishedAtMs }, nowMs) ?? false;
  }

  /** What to commit; undefined when nothing is known that was not committed. */
  get toCommit(): PartitionOffset | undefined {
    const { topic, partition, next } = this;
    if (next === undefined || next === this.committed || this.#freshness === undefined) return undefined;
    return { topic, partition, offset: next, metadata: formatNote(this.#freshness.note) };
  }
}

export class Assignment {
  readonly #partitions = new Map<string, Map<number, PartitionProgress>>();

  constructor(partitions: readonly TopicPartition[] = []) {
    for (const each of partitions) {
      const ofTopic = this.#partitions.get(each.topic) ?? new Map<number, PartitionProgress>();
      this.#partitions.set(each.topic, ofTopic.set(each.partition, new PartitionProgress(each)));
    }
  }

  get(topic: string, partition: number): PartitionProgress | undefined {
    return this.#partitions.get(topic)?.get(partition);
  }

  *[Symbol.iterator](): Generator<PartitionProgress> {
    for (const ofTopic of this.#partitions.values()) yield* ofTopic.values();
  }

  /** From now on the assignment's changes must not be applied any more. */
  revoke(): void {
    for (const progress of this) progress.revoked = true;
  }

  /**
   * What is applied and not committed yet. Mostly that is further on; it is further back when part of a partition was read
   * again, after a lost connection or because the topic was made anew, and then the older commit would say too much.
   */
  uncommitted(): PartitionOffset[] {
    return [...this].flatMap((progress) => progress.toCommit ?? []);
  }

  /** The partitions of which deletes may have been missed that were not known to be before. */
  advance(nowMs: number): PartitionProgress[] {
    return [...this].filter((progress) => progress.advance(nowMs));
  }

  /**
   * Where the group stood when this process got the partitions.
   *
   * @param offsetsForgotten the group was there before, and its commits are gone
   * @returns the partitions of which deletes may have been missed that were not known to be before
   */
  begin(standing: readonly PartitionStanding[], nowMs: number, offsetsForgotten: boolean): PartitionProgress[] {
    return standing.flatMap((each) => {
      const progress = this.get(each.topic, each.partition);
      return progress?.begin(each, nowMs, offsetsForgotten) === true ? [progress] : [];
    });
  }

  /** From now on everything that is applied counts as not committed. */
  forgetCommits(): void {
    for (const progress of this) progress.committed = undefined;
  }

  /** These offsets are committed. */
  commit(offsets: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const progress = this.get(topic, partition);
      if (progress !== undefined) progress.committed = offset;
    }
  }
}

/** A change on its way, tied to its partition's watermark. */
export class TrackedDelivery implements Delivery {
  readonly change: Change;
  readonly record: FetchedRecord;
  readonly bytes: number;
  readonly #progress: PartitionProgress;
  readonly #sequence: number;
  readonly #onSettled: (delivery: Delivery, outcome: Outcome) => void;

  constructor(
    change: Change,
    record: FetchedRecord,
    bytes: number,
    progress: PartitionProgress,
    onSettled: (delivery: Delivery, outcome: Outcome) => void,
  ) {
    this.change = change;
    this.record = record;
    this.bytes = bytes;
    this.#progress = progress;
    this.#sequence = progress.watermark.begin(change.offset);
    this.#onSettled = onSettled;
  }

  get revoked(): boolean {
    return this.#progress.revoked;
  }

  settle(outcome: Outcome): void {
    // A returned change has not ended: the watermark stays before it for ever, and the next owner begins there.
    if (outcome !== 'returned') this.#progress.watermark.end(this.#sequence);
    this.#onSettled(this, outcome);
  }
}
