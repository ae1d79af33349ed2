// Kafka to target, all stages on one screen: subscribe -> decode -> transform -> apply -> commit. It keeps promise A's twin on
// this side (commit only after apply), B by lanes, and E by the tally; a crash at any point applies some changes again (D).
import { type Logger, runServices, sleep, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace, namespaceOfTopic } from '@tailwater/schema';
import type { ApplyHooks } from './apply/apply-batch.js';
import type { Delivery, Outcome } from './apply/delivery.js';
import { Lanes, type LanesOptions } from './apply/lanes.js';
import type { Target } from './apply/target.js';
import type { Change } from './change.js';
import { Committer } from './commit/committer.js';
import { Assignment, type PartitionProgress, TrackedDelivery } from './commit/progress.js';
import { decodeRecord, UndecodableRecordError } from './decode/decode-record.js';
import type { FetchedBatch, FetchedRecord, Subscription, SubscriptionListener, TopicPartition } from './subscribe/subscription.js';
import { Tally } from './tally.js';
import type { Transform } from './transform/transform.js';

export interface PipelineOptions {
  readonly prefix: string;
  readonly apply: LanesOptions;
  /** Milliseconds between two commits. */
  readonly commitIntervalMs: number;
  /** How long, in milliseconds, requests in flight may still take when partitions are given back or the process stops. */
  readonly releaseGraceMs: number;
}

export interface PipelineParts {
  readonly subscription: Subscription;
  readonly transform: Transform;
  readonly target: Target;
  readonly hooks: Pick<ApplyHooks, 'onRequest' | 'onRetry'>;
  readonly logger: Logger;
}

/** What a queued change costs beside its document: objects, key, queue entries. */
const CHANGE_OVERHEAD_BYTES = 400;
const COMMIT_GRACE_MS = 2_000;

export class Pipeline implements SubscriptionListener {
  readonly tally = new Tally();
  readonly #options: PipelineOptions;
  readonly #parts: PipelineParts;
  readonly #lanes: Lanes;
  readonly #committer: Committer;
  readonly #namespaces = new Map<string, Namespace>();
  #assignment = new Assignment();

  constructor(parts: PipelineParts, options: PipelineOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#lanes = new Lanes(parts.target, options.apply, {
      onRequest: (request) => {
        this.tally.requests += 1;
        parts.hooks.onRequest(request);
      },
      onRetry: (failure) => {
        this.tally.retries += 1;
        parts.hooks.onRetry(failure);
      },
      // Until there is a dead-letter topic, stopping is the only answer that loses nothing (promise E).
      onRejected: ({ key, namespace }, { reason }) => {
        throw new TailwaterError('TW1305', {
          target: parts.target.kind,
          key: key.slice(0, 200),
          namespace: formatNamespace(namespace),
          reason,
        });
      },
    });
    this.#committer = new Committer(parts.subscription, { intervalMs: options.commitIntervalMs }, parts.logger);
  }

  /** The partitions that this process owns at the moment. */
  get partitions(): Iterable<PartitionProgress> {
    return this.#assignment;
  }

  /** Changes and bytes between Kafka and the target. */
  get buffered(): { readonly count: number; readonly bytes: number } {
    return this.#lanes.buffered;
  }

  /** Runs until the signal aborts; the subscription then releases what is in flight before it leaves the group. */
  async run(signal: AbortSignal): Promise<void> {
    const read = new AbortController();
    // Lanes and commits go on while the subscription drains, and end when it has.
    const subscription = {
      run: (stop: AbortSignal) => this.#parts.subscription.run(AbortSignal.any([signal, stop]), this).finally(() => read.abort()),
    };
    const lanes = { run: (stop: AbortSignal) => this.#lanes.run(AbortSignal.any([read.signal, stop])) };
    const committer = { run: (stop: AbortSignal) => this.#committer.run(AbortSignal.any([read.signal, stop])) };
    await runServices([subscription, lanes, committer], new AbortController().signal);
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#assignment.revoke();
    this.#assignment = new Assignment(partitions);
    this.#committer.follow(this.#assignment);
    const topics = new Set(partitions.map(({ topic }) => topic));
    this.#parts.logger.info({ partitions: partitions.length, topics: topics.size }, 'Partitions assigned');
  }

  async accept(batch: FetchedBatch, signal: AbortSignal): Promise<boolean> {
    const progress = this.#assignment.get(batch.topic, batch.partition);
    if (progress === undefined || progress.revoked) return false;
    progress.highWatermark = batch.highWatermark;
    for (const record of batch.records) {
      if (!this.#lanes.hasRoom) await this.#lanes.room(signal);
      if (signal.aborted || progress.revoked) return false;
      this.#process(record, batch, progress);
    }
    progress.watermark.skip(batch.lastOffset);
    // Room for the next batch before it is fetched: one that waited would hold as much memory again.
    await this.#lanes.room(signal);
    return true;
  }

  async release(): Promise<void> {
    this.#assignment.revoke();
    await this.#lanes.release(this.#options.releaseGraceMs);
    // A broker that does not answer must not hold up what comes next; what is not committed is applied again.
    await Promise.race([this.#committer.flush(), sleep(COMMIT_GRACE_MS)]);
    this.#committer.follow(undefined);
  }

  #process(record: FetchedRecord, batch: FetchedBatch, progress: PartitionProgress): void {
    const decoded = this.#decode(record, batch);
    if (decoded === undefined) {
      this.tally.control += 1;
      progress.watermark.skip(Number(record.offset));
      return;
    }
    this.tally.read += 1;
    this.tally.bytes += decoded.document.length;
    const change = this.#parts.transform(decoded);
    if (change === undefined) {
      this.tally.filtered += 1;
      progress.watermark.skip(decoded.offset);
      return;
    }
    const bytes = change.document.length + change.key.length + CHANGE_OVERHEAD_BYTES;
    this.#lanes.push(new TrackedDelivery(change, bytes, progress, this.#onSettled));
  }

  readonly #onSettled = (delivery: Delivery, outcome: Outcome): void => {
    this.tally.end(outcome);
    this.#lanes.settled(delivery);
  };

  #decode(record: FetchedRecord, { topic, partition }: FetchedBatch): Change | undefined {
    try {
      return decodeRecord(record, { topic, partition, namespace: this.#namespaceOf(topic) });
    } catch (error) {
      if (!(error instanceof UndecodableRecordError)) throw error;
      throw new TailwaterError('TW1501', { topic, partition, offset: record.offset, reason: error.message }, { cause: error });
    }
  }

  #namespaceOf(topic: string): Namespace {
    const known = this.#namespaces.get(topic);
    if (known !== undefined) return known;
    const namespace = namespaceOfTopic(this.#options.prefix, topic);
    if (namespace === undefined) throw new Error(`${topic} is not a topic of the prefix ${this.#options.prefix}`);
    this.#namespaces.set(topic, namespace);
    return namespace;
  }
}
