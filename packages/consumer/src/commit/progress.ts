// The partitions that this process reads and how far each is applied. What a change of a partition reports after the partition was given back moves the
// watermark of that time, never that of the next.

import { Notifier } from '@tailwater/runtime';
import type { Delivery, Outcome } from '../apply/delivery.js';
import type { Change } from '../changes/change.js';
import { type EpochHistory, type ReadingPoint, upTo } from '../subscribe/epoch-history.js';
import type { FetchedRecord, GroupPartitionOffsets, PartitionOffset, TopicPartition } from '../subscribe/subscription.js';
import type { TargetMark } from '../subscribe/target-mark.js';
import { Freshness, formatCommitMetadata, parseCommitMetadata } from './freshness.js';
import { Watermark } from './watermark.js';

export interface ProgressOptions {
  /** The group was there before, and its commits are gone. */
  readonly hasForgottenOffsets?: boolean;
  /** Where changes are applied to. */
  readonly target?: TargetMark | undefined;
}

export class PartitionProgress implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly watermark = new Watermark();
  /** Where the group stood when this process got the partition, and so where it begins to read. */
  readonly begun: number;
  /** Who wrote what was read. */
  epochs: EpochHistory;
  readonly #groupOffsets: GroupPartitionOffsets;
  #highWatermark: number;
  /** When the last record that was read was published, in milliseconds since the epoch. */
  publishedAtMs: number | undefined;
  /** The offset that this process committed last. */
  committed: number | undefined;
  revoked = false;
  readonly #topicId: string | undefined;
  readonly #target: TargetMark | undefined;
  /** Where the group applied this partition to before, as far as its commit says. */
  readonly targetBefore: TargetMark | undefined;
  readonly #freshness: Freshness;
  #unsettled = 0;
  readonly #idle = new Notifier();

  constructor(groupOffsets: GroupPartitionOffsets, nowMs: number, { hasForgottenOffsets = false, target }: ProgressOptions = {}) {
    const { topic, partition, topicId, committed, metadata, low, end, bornAtMs, tombstonesKeptMs } = groupOffsets;
    this.topic = topic;
    this.partition = partition;
    this.#groupOffsets = groupOffsets;
    this.#topicId = topicId;
    this.#target = target;
    const note = parseCommitMetadata(metadata);
    // A commit of a topic that was deleted and made anew says nothing of this one.
    const isAnothers = note?.topicId !== undefined && topicId !== undefined && note.topicId !== topicId;
    this.targetBefore = note?.target;
    this.begun = isAnothers ? low : Math.max(low, committed ?? low);
    // Behind a gap it is not known who wrote what was there.
    this.epochs = this.begun === committed && !isAnothers ? upTo(note?.epochs ?? [], committed) : [];
    this.#highWatermark = end;
    // Nothing of what was published since the partition began is gone, while its first record is there.
    const begins = committed === undefined && hasForgottenOffsets ? { freshAtMs: bornAtMs ?? 0 } : note;
    this.#freshness = new Freshness(isAnothers ? undefined : begins, tombstonesKeptMs, nowMs);
    // What is left now decides: soon some of it will have been read.
    this.#freshness.advance({ lag: Math.max(0, end - this.begun), publishedAtMs: undefined }, nowMs);
  }

  /** The offset after the partition's last record, as far as it is known. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /**
   * A batch that begins at an offset told where the partition ends. A broker that has just become its leader may not know of the last records yet; only when
   * reading went back, because the topic was cut or made anew, does it really end earlier.
   */
  ends(highWatermark: number, batchBegins: number): void {
    this.#highWatermark = batchBegins < this.next ? highWatermark : Math.max(this.#highWatermark, highWatermark);
  }

  /** Resolves when no change of the partition is queued or in flight. */
  async drained(): Promise<void> {
    await this.#idle.until(() => this.#unsettled === 0);
  }

  /** A change of the partition is on its way. */
  pushed(): void {
    this.#unsettled += 1;
  }

  /** It was settled, one way or another. */
  settled(): void {
    this.#unsettled -= 1;
    if (this.#unsettled === 0) this.#idle.notify();
  }

  /** The same partition, to be read again from this point on: Kafka has lost what was read behind it, and with it perhaps deletes that this process has not read. */
  again({ offset, epochs }: ReadingPoint, end: number, nowMs: number): PartitionProgress {
    const { freshAtMs, missed } = this.#freshness.note;
    const span = { fromMs: missed?.fromMs ?? freshAtMs, toMs: nowMs };
    const note = { freshAtMs, missed: span, topicId: this.#topicId, target: this.#target, epochs };
    const groupOffsets = {
      ...this.#groupOffsets,
      committed: offset,
      low: Math.min(offset, this.#groupOffsets.low),
      metadata: formatCommitMetadata(note),
    };
    return new PartitionProgress({ ...groupOffsets, end: Math.max(offset, end) }, nowMs, { target: this.#target });
  }

  /** The offset to go on from. */
  get next(): number {
    return this.watermark.next ?? this.begun;
  }

  /** Records done with since this process got the partition, and those that are left. */
  get sinceBegun(): { readonly done: number; readonly left: number } {
    return { done: Math.max(0, this.next - this.begun), left: this.lag };
  }

  /** Records between what is applied and the end of the partition. */
  get lag(): number {
    return Math.max(0, this.highWatermark - this.next);
  }

  /** When deletes may have been missed, if ever. */
  get missed(): Freshness['missed'] {
    return this.#freshness.missed;
  }

  /** @returns whether deletes may have been missed that were not known to be before */
  advance(nowMs: number): boolean {
    return this.#freshness.advance({ lag: this.lag, publishedAtMs: this.publishedAtMs }, nowMs);
  }

  /** What to commit; undefined when nothing is known that was not committed. */
  get toCommit(): PartitionOffset | undefined {
    const { topic, partition, next } = this;
    if (next === this.committed) return undefined;
    return {
      topic,
      partition,
      offset: next,
      metadata: formatCommitMetadata({
        ...this.#freshness.note,
        topicId: this.#topicId,
        target: this.#target,
        epochs: upTo(this.epochs, next),
      }),
    };
  }
}

/** What this process reads at the moment: partitions come and go one by one. */
export class Assignment {
  readonly #partitions = new Map<string, Map<number, PartitionProgress>>();

  get(topic: string, partition: number): PartitionProgress | undefined {
    return this.#partitions.get(topic)?.get(partition);
  }

  *[Symbol.iterator](): Generator<PartitionProgress> {
    for (const ofTopic of this.#partitions.values()) yield* ofTopic.values();
  }

  add(progress: PartitionProgress): void {
    const ofTopic = this.#partitions.get(progress.topic) ?? new Map<number, PartitionProgress>();
    this.#partitions.set(progress.topic, ofTopic);
    ofTopic.set(progress.partition, progress);
  }

  /** Those of these partitions, or all, that are there. */
  select(partitions?: readonly TopicPartition[]): PartitionProgress[] {
    return partitions === undefined ? [...this] : partitions.flatMap(({ topic, partition }) => this.get(topic, partition) ?? []);
  }

  remove(removed: readonly PartitionProgress[]): void {
    for (const progress of removed) {
      const ofTopic = this.#partitions.get(progress.topic);
      // What has been added since under the same name stays.
      if (ofTopic?.get(progress.partition) === progress) ofTopic.delete(progress.partition);
      if (ofTopic?.size === 0) this.#partitions.delete(progress.topic);
    }
  }

  /** Partitions whose deletes may have been missed, newly known. */
  advance(nowMs: number): PartitionProgress[] {
    return [...this].filter((progress) => progress.advance(nowMs));
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
    progress.pushed();
  }

  get revoked(): boolean {
    return this.#progress.revoked;
  }

  settle(outcome: Outcome): void {
    // A returned change has not ended: the watermark stays before it for ever, and the next owner begins there.
    if (outcome !== 'returned') this.#progress.watermark.end(this.#sequence);
    this.#onSettled(this, outcome);
    this.#progress.settled();
  }
}
