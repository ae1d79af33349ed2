// Kafka to target, all stages on one screen: subscribe -> decode -> transform -> apply, or dead letter -> commit. It keeps promise
// A's twin on this side (commit only after apply), B by lanes, and E by the tally; a crash at any point applies some changes again (D).
import { type Clock, type Logger, runServices, sleep } from '@tailwater/runtime';
import type { SchemaIds } from '@tailwater/schema';
import type { Delivery, Outcome } from './apply/delivery.js';
import { FetchBackpressure } from './apply/fetch-backpressure.js';
import { Lanes, type LanesHooks, type LanesOptions, type WaitingPlace } from './apply/lanes.js';
import { Committer } from './commit/committer.js';
import { Assignment, PartitionProgress, TrackedDelivery } from './commit/progress.js';
import type { ErrorPolicy } from './dead-letters/error-policy.js';
import { DecodeFailureHandler } from './decode/decode-failure-handler.js';
import type { UnreadableRecord } from './decode/unreadable-records.js';
import { Tally } from './metrics/tally.js';
import { RecordReceiver } from './record-receiver.js';
import type { ReadingPoint } from './subscribe/epoch-history.js';
import type {
  FetchedBatch,
  GroupPartitionOffsets,
  GroupView,
  Subscription,
  SubscriptionListener,
  TopicPartition,
} from './subscribe/subscription.js';
import { isOtherTarget, type TargetMark } from './subscribe/target-mark.js';
import type { Target } from './targets/target.js';
import type { Transform } from './transform/transform.js';

export interface PipelineOptions {
  readonly prefix: string;
  readonly apply: LanesOptions;
  /** Milliseconds between two commits. */
  readonly commitIntervalMs: number;
  /** How long, in milliseconds, requests in flight may still take when partitions are given back or the process stops. */
  readonly releaseGraceMs: number;
  /** The group was there before, and Kafka has forgotten its offsets: it begins again, and may have missed deletes. */
  readonly hasForgottenOffsets?: boolean;
  /** Where the target is, for noticing that the group applied to another one. */
  readonly targetMark?: TargetMark;
}

export interface PipelineParts {
  readonly subscription: Subscription;
  /** What is known of a schema registry, and how the rest is looked up where there is one. */
  readonly schemas: SchemaIds;
  readonly transform: Transform;
  readonly target: Target;
  readonly errorPolicy: Pick<ErrorPolicy, 'refused' | 'undecodable' | 'waitsAt'>;
  readonly hooks: Omit<LanesHooks, 'onRejected'>;
  /** Called once, after the first commit. */
  readonly onFirstCommit?: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const COMMIT_GRACE_MS = 2_000;

export class Pipeline implements SubscriptionListener {
  readonly tally = new Tally();
  readonly #options: PipelineOptions;
  readonly #parts: PipelineParts;
  readonly #lanes: Lanes;
  readonly #committer: Committer;
  readonly #backpressure: FetchBackpressure;
  readonly #assignment = new Assignment();
  readonly #decodeFailures: DecodeFailureHandler;
  readonly #receiver: RecordReceiver;

  constructor(parts: PipelineParts, options: PipelineOptions) {
    this.#parts = parts;
    this.#options = options;
    parts.target.guard?.(() => parts.subscription.isHeld);
    this.#lanes = new Lanes(parts.target, options.apply, {
      ...parts.hooks,
      // A target that does not compare versions would be left with what this process had read before another took over.
      mayApply: (signal) => parts.subscription.held(signal),
      onRequest: (request) => {
        this.tally.requests += 1;
        parts.hooks.onRequest(request);
      },
      onRetry: (failure) => {
        this.tally.retries += 1;
        parts.hooks.onRetry(failure);
      },
      onRejected: (delivery, rejection, cut) => parts.errorPolicy.refused(delivery, rejection, cut),
    });
    this.#backpressure = new FetchBackpressure(this.#lanes);
    this.#decodeFailures = new DecodeFailureHandler({ ...parts, waitsAt: (...record) => parts.errorPolicy.waitsAt(...record) });
    this.#receiver = new RecordReceiver({
      prefix: options.prefix,
      schemas: parts.schemas,
      transform: parts.transform,
      decodeFailures: this.#decodeFailures,
      backpressure: this.#backpressure,
      tally: this.tally,
      putAside: (...refused) => parts.errorPolicy.undecodable(...refused),
      push: (change, record, bytes, progress) => this.#lanes.push(new TrackedDelivery(change, record, bytes, progress, this.#onSettled)),
    });
    this.#committer = new Committer(
      { subscription: parts.subscription, assignment: this.#assignment, clock: parts.clock, logger: parts.logger },
      { intervalMs: options.commitIntervalMs, onFirstCommit: parts.onFirstCommit ?? (() => undefined) },
    );
  }

  /** The partitions that this process owns at the moment. */
  get partitions(): Iterable<PartitionProgress> {
    return this.#assignment;
  }

  /** Records that this process has done with since it got its partitions, and those that are left. */
  get backlog(): { readonly done: number; readonly left: number } {
    let [done, left] = [0, 0];
    for (const { sinceBegun } of this.#assignment) {
      done += sinceBegun.done;
      left += sinceBegun.left;
    }
    return { done, left };
  }

  /** The group as this process sees it. */
  get group(): GroupView {
    return this.#parts.subscription.group;
  }

  /** Records that the group has not applied, those of partitions that other processes own, or that have no owner, included; undefined while that is not known. */
  get lag(): number | undefined {
    const { elsewhere } = this.group;
    return elsewhere && this.backlog.left + elsewhere.lag;
  }

  /** Whether this process is a member of the group, and all of the group's topics are applied. */
  get isInStep(): boolean {
    return this.group.isMember && this.lag === 0;
  }

  get target(): Target {
    return this.#parts.target;
  }

  /** Namespaces that the target refuses at the moment while it accepts others. */
  get waiting(): readonly WaitingPlace[] {
    return this.#lanes.waiting;
  }

  /** Records that this process cannot read and another may, at which their partitions wait. */
  get unreadable(): readonly UnreadableRecord[] {
    return this.#decodeFailures.unreadable.waiting;
  }

  /** Changes and bytes between Kafka and the target. */
  get buffered(): { readonly count: number; readonly bytes: number } {
    return this.#lanes.buffered;
  }

  /** Commits what is applied by now, before that is due. Never rejects. */
  commit(): Promise<void> {
    return this.#committer.flush();
  }

  /** Runs until the signal aborts; the subscription then releases what is in flight before it leaves the group. */
  async run(signal: AbortSignal): Promise<void> {
    const read = new AbortController();
    // Lanes and commits go on while the subscription drains, and end when it has.
    const subscription = {
      run: (stop: AbortSignal) =>
        this.#parts.subscription.run(AbortSignal.any([signal, stop]), this).finally(() => {
          read.abort();
          this.#decodeFailures.stop();
        }),
    };
    const lanes = { run: (stop: AbortSignal) => this.#lanes.run(AbortSignal.any([read.signal, stop])) };
    const committer = { run: (stop: AbortSignal) => this.#committer.run(AbortSignal.any([read.signal, stop])) };
    await runServices([subscription, lanes, committer], new AbortController().signal);
  }

  assign(partitions: readonly GroupPartitionOffsets[]): readonly ReadingPoint[] {
    const begun = partitions.map((groupOffsets) => {
      const { hasForgottenOffsets = false, targetMark: target } = this.#options;
      const progress = new PartitionProgress(groupOffsets, this.#parts.clock.now(), { hasForgottenOffsets, target });
      this.#assignment.add(progress);
      return progress;
    });
    this.#committer.tellMissed(begun.filter(({ missed }) => missed !== undefined));
    this.#committer.tellOtherTarget(begun.filter(({ targetBefore }) => isOtherTarget(targetBefore, this.#options.targetMark)));
    return begun.map(({ begun: offset, epochs }) => ({ offset, epochs }));
  }

  goBack({ topic, partition }: TopicPartition, point: ReadingPoint, end: number): void {
    const before = this.#assignment.get(topic, partition);
    if (before === undefined) return;
    before.revoked = true;
    this.#assignment.remove([before]);
    this.#assignment.add(before.again(point, end, this.#parts.clock.now()));
    this.#lanes.returnRevoked();
  }

  async accept(batch: FetchedBatch, signal: AbortSignal, mayHold: () => boolean): Promise<number> {
    const next = await this.#take(batch, signal, mayHold);
    this.#decodeFailures.unreadable.passed(batch, next);
    return next;
  }

  async #take(batch: FetchedBatch, signal: AbortSignal, mayHold: () => boolean): Promise<number> {
    const progress = this.#assignment.get(batch.topic, batch.partition);
    const first = batch.records[0];
    const begin = first === undefined ? batch.lastOffset + 1 : Number(first.offset);
    if (progress === undefined || progress.revoked) return begin;
    progress.ends(batch.highWatermark, begin);
    progress.epochs = batch.epochs;
    for (const record of batch.records) {
      const offset = Number(record.offset);
      if (signal.aborted || progress.revoked) return offset;
      const put = this.#receiver.take(record, batch, progress, { signal, mayHold });
      if (put !== undefined && !(await put)) return offset;
    }
    progress.watermark.skip(batch.lastOffset);
    progress.publishedAtMs = Number(batch.records.at(-1)?.timestamp ?? progress.publishedAtMs ?? 0);
    return batch.lastOffset + 1;
  }

  hasCapacity(partition: TopicPartition): boolean {
    return !this.#decodeFailures.unreadable.isBlocked(partition) && this.#backpressure.hasCapacity(partition.topic);
  }

  async untilCapacity(partition: TopicPartition, signal: AbortSignal): Promise<void> {
    await this.#decodeFailures.unreadable.until(partition, signal);
    await this.#backpressure.untilCapacity(partition.topic, signal);
  }

  async release(partitions?: readonly TopicPartition[]): Promise<boolean> {
    const going = this.#assignment.select(partitions);
    for (const progress of going) progress.revoked = true;
    const isAlone = partitions !== undefined && (await this.#drained(going));
    if (!isAlone) {
      for (const progress of this.#assignment) progress.revoked = true;
      await this.#lanes.release(this.#options.releaseGraceMs);
    }
    // A broker that does not answer must not hold up what comes next; what is not committed is applied again.
    await Promise.race([this.#committer.flush(), sleep(COMMIT_GRACE_MS)]);
    const gone = isAlone ? going : [...this.#assignment];
    this.#assignment.remove(gone);
    this.#decodeFailures.unreadable.forget(gone);
    return isAlone;
  }

  async lose(partitions?: readonly TopicPartition[]): Promise<void> {
    const lost = this.#assignment.select(partitions);
    for (const progress of lost) progress.revoked = true;
    this.#assignment.remove(lost);
    this.#decodeFailures.unreadable.forget(lost);
    if (partitions === undefined) await this.#lanes.release(0);
    else this.#lanes.returnRevoked();
  }

  /** Whether what is in flight of these partitions ended in time, and nothing of them waits any more; the other partitions go on meanwhile. */
  async #drained(going: readonly PartitionProgress[]): Promise<boolean> {
    this.#lanes.returnRevoked();
    const timer = new AbortController();
    const late = sleep(this.#options.releaseGraceMs, timer.signal).then(() => timer.signal.aborted);
    const drained = Promise.all(going.map((progress) => progress.drained())).then(() => true);
    const isDrained = await Promise.race([drained, late]);
    timer.abort();
    return isDrained;
  }

  readonly #onSettled = (delivery: Delivery, outcome: Outcome): void => {
    this.tally.end(outcome, delivery.change.topic);
    this.#lanes.settled(delivery);
  };
}
