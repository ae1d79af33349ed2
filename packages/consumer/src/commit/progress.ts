// The partitions of one assignment and how far each is applied. An assignment ends as a whole: what its changes report
// afterwards moves its own watermarks, never those of the next one.

import type { Delivery, Outcome } from '../apply/delivery.js';
import type { Change } from '../change.js';
import type { PartitionOffset, TopicPartition } from '../subscribe/subscription.js';
import { Watermark } from './watermark.js';

export class PartitionProgress implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly watermark = new Watermark();
  /** The offset after the partition's last record, as the last batch told. */
  highWatermark = 0;
  /** The offset that this process committed last. */
  committed: number | undefined;
  revoked = false;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Records between the watermark and the end of the partition; 0 before anything was read. */
  get lag(): number {
    const { next } = this.watermark;
    return next === undefined ? 0 : Math.max(0, this.highWatermark - next);
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
    const offsets: PartitionOffset[] = [];
    for (const { topic, partition, watermark, committed } of this) {
      if (watermark.next !== undefined && watermark.next !== committed) offsets.push({ topic, partition, offset: watermark.next });
    }
    return offsets;
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
  readonly bytes: number;
  readonly #progress: PartitionProgress;
  readonly #sequence: number;
  readonly #onSettled: (delivery: Delivery, outcome: Outcome) => void;

  constructor(change: Change, bytes: number, progress: PartitionProgress, onSettled: (delivery: Delivery, outcome: Outcome) => void) {
    this.change = change;
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
