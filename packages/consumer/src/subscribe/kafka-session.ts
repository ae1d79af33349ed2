// One membership of the consumer group: fixed topics, from joining to leaving. Offsets are resolved as soon as a batch has
// found room, so that fetching, decoding and applying overlap; they are committed only when the pipeline says so (promise A).
import { type KafkaClient, PATIENT_RETRY, sleep, toKafkaError } from '@tailwater/runtime';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { evenAssigner } from './kafka-assigner.js';
import { protocolErrorOf } from './kafka-protocol-error.js';
import type { CommitOutcome, FetchedBatch, PartitionOffset, SubscriptionListener } from './subscription.js';

export interface SessionOptions {
  readonly groupId: string;
  /** After so many milliseconds without a heartbeat the group gives a member's partitions to others. */
  readonly sessionTimeoutMs: number;
  /** A fetch asks for no more bytes than this, over all partitions; a larger single record still comes. */
  readonly fetchBytes: number;
}

// The group has moved on, or is moving on.
const REFUSED = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);
/** Leaving the group must not keep a stopping process: a broker that is gone ends the membership by itself. */
const LEAVE_TIMEOUT_MS = 3_000;
const MAX_WAIT_MS = 200;

export class KafkaSession {
  readonly #consumer: Consumer;
  readonly #brokers: string;
  readonly #topics: readonly string[];
  readonly #options: SessionOptions;
  /** Aborts what waits for room. One for a whole generation of the group: combining signals for each batch leaks on Node 20. */
  #generation = new AbortController();
  #listener: SubscriptionListener | undefined;
  #draining = false;
  #fail: (error: unknown) => void = () => undefined;

  constructor(kafka: KafkaClient, topics: readonly string[], options: SessionOptions) {
    this.#brokers = kafka.brokers;
    this.#topics = topics;
    this.#options = options;
    this.#consumer = kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: Math.max(30_000, options.sessionTimeoutMs),
      heartbeatInterval: Math.floor(options.sessionTimeoutMs / 10),
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytes: options.fetchBytes,
      // Several partitions per fetch, so that they advance together.
      maxBytesPerPartition: Math.ceil(options.fetchBytes / 4),
      readUncommitted: false,
      allowAutoTopicCreation: false,
      retry: PATIENT_RETRY,
      partitionAssigners: [evenAssigner(() => this.#beforeJoin())],
    });
  }

  /** Reads until the signal aborts, then releases what is in flight and leaves the group. */
  async run(signal: AbortSignal, listener: SubscriptionListener): Promise<void> {
    this.#listener = listener;
    const stopped = new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      this.#fail = reject;
    });
    this.#listen(listener);
    stopped.catch(() => undefined); // Awaited below; a crash while connecting must not count as unhandled before.
    try {
      await Promise.race([this.#join(listener), stopped]);
      await stopped;
    } finally {
      await this.#leave(listener);
    }
  }

  /** Resolves when the group has let this member in. While the brokers are away that takes until they are back. */
  async #join(listener: SubscriptionListener): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#eachBatch(payload, listener),
    });
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome> {
    try {
      await this.#consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: String(each.offset) })));
      return 'committed';
    } catch (error) {
      if (REFUSED.has(protocolErrorOf(error))) return 'refused';
      throw error;
    }
  }

  #listen(listener: SubscriptionListener): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
        numbers.map((partition) => ({ topic, partition })),
      );
      this.#generation = new AbortController();
      listener.assign(partitions);
    });
    this.#consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      // Only transaction markers or aborted records: kafkajs steps over them by itself, and so must the commits.
      if (payload.batchSize === 0) this.#skip(payload, listener);
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#fail(toKafkaError(payload.error, this.#brokers));
    });
  }

  #skip(covered: { topic: string; partition: number; lastOffset: string; highWatermark: string }, listener: SubscriptionListener): void {
    const { topic, partition } = covered;
    const batch = { topic, partition, records: [], lastOffset: Number(covered.lastOffset), highWatermark: Number(covered.highWatermark) };
    listener.accept(batch, this.#generation.signal).catch(this.#fail);
  }

  async #eachBatch(payload: EachBatchPayload, listener: SubscriptionListener): Promise<void> {
    const { batch } = payload;
    const accepted = this.#accept(fetchedBatch(batch), listener, this.#generation.signal);
    try {
      await this.#heartbeatUntil(accepted, payload);
    } catch (error) {
      // kafkajs joins again, or just fetches again: what was not accepted of this batch comes again in either case.
      this.#generation.abort();
      await accepted;
      this.#generation = new AbortController();
      throw error;
    }
    const last = batch.messages.at(-1);
    if (last !== undefined && (await accepted)) payload.resolveOffset(last.offset);
  }

  /** Whether all of the batch was taken. Never rejects: kafkajs would call again and again for an error that is not its own. */
  async #accept(batch: FetchedBatch, listener: SubscriptionListener, signal: AbortSignal): Promise<boolean> {
    try {
      if (!this.#draining) {
        const taken = await listener.accept(batch, signal);
        if (!this.#draining) return taken;
      }
    } catch (error) {
      this.#fail(error);
    }
    // The session ends: nothing more is fetched until it has.
    await sleep(this.#options.sessionTimeoutMs, signal);
    return false;
  }

  /** Keeps the membership alive while the target is slow: back-pressure must not look like death. Throws when the group rebalances. */
  async #heartbeatUntil(done: Promise<boolean>, payload: EachBatchPayload): Promise<void> {
    const intervalMs = this.#options.sessionTimeoutMs / 20;
    const pending = Symbol('pending');
    for (;;) {
      const timer = new AbortController();
      const tick = sleep(intervalMs, timer.signal).then(() => pending);
      const first = await Promise.race([done, tick]);
      timer.abort();
      if (first !== pending) return;
      await payload.heartbeat();
    }
  }

  async #beforeJoin(): Promise<void> {
    await this.#listener?.release();
  }

  async #leave(listener: SubscriptionListener): Promise<void> {
    this.#draining = true;
    await listener.release();
    this.#generation.abort();
    await Promise.race([this.#consumer.disconnect().catch(() => undefined), sleep(LEAVE_TIMEOUT_MS)]);
  }
}

function fetchedBatch(batch: EachBatchPayload['batch']): FetchedBatch {
  const { topic, partition, messages } = batch;
  return { topic, partition, records: messages, lastOffset: Number(batch.lastOffset()), highWatermark: Number(batch.highWatermark) };
}
