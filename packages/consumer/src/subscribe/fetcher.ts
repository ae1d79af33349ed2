// Reads the partitions of this process: one request at a time to each broker that leads some of them, for all that there is room for. A partition whose changes
// find no room holds no memory and stops no other: it is asked for again when there is room (one namespace that waits must not stop the rest).
import { setMaxListeners } from 'node:events';
import {
  abortable,
  type BrokerConnections,
  BrokerRefusal,
  ERROR,
  type FetchedPartition,
  fetchRecords,
  type Logger,
  Queue,
  type ReadBatches,
  sleep,
} from '@tailwater/runtime';
import type { DeniedTopics } from './denied-topics.js';
import { readOn, upTo } from './epoch-history.js';
import { FetchPositions, type FetchState, type PartitionPosition, toFetchPosition } from './fetch-positions.js';
import { FetchSession } from './fetch-session.js';
import { type LostRecords, LostRecordsReport, lostAt, lostBefore } from './lost-records.js';
import { partitionName, type SubscriptionListener, type TopicPartition } from './subscription.js';
import type { TopicCatalog } from './topic-catalog.js';

export interface FetcherOptions {
  /** A fetch asks for no more bytes than this, over all partitions; a larger single record still comes. */
  readonly fetchBytes: number;
}

export type FetchListener = Pick<SubscriptionListener, 'accept' | 'goBack' | 'hasCapacity' | 'untilCapacity'>;

/** How long, in milliseconds, a broker waits for something new. */
const MAX_WAIT_MS = 300;
/** The same while something that came is being accepted: its partition is asked for as soon as that is done. */
const SHORT_WAIT_MS = 10;
/** What has been accepted for longer than this waits for room, and is not waited for. */
const ACCEPTING_MS = 1_000;
const IDLE_MS = 50;
const RETRY_MS = 100;
/** Several partitions per fetch, so that they advance together. */
const PARTITIONS_PER_FETCH = 4;
/** Bytes that may be on their way into the buffer, in fetches. */
const FETCHES_ACCEPTED = 4;
/** The leader has moved, or the broker does not know yet that it leads. */
const STALE: ReadonlySet<number> = new Set([
  ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  ERROR.LEADER_NOT_AVAILABLE,
  ERROR.NOT_LEADER_OR_FOLLOWER,
  ERROR.REPLICA_NOT_AVAILABLE,
  ERROR.KAFKA_STORAGE_ERROR,
  ERROR.FENCED_LEADER_EPOCH,
  ERROR.UNKNOWN_LEADER_EPOCH,
  ERROR.OFFSET_NOT_AVAILABLE,
]);

export class Fetcher {
  readonly #connections: BrokerConnections;
  readonly #catalog: TopicCatalog;
  readonly #listener: FetchListener;
  readonly #options: FetcherOptions;
  readonly #logger: Logger;
  readonly #denied: DeniedTopics;
  readonly #lostRecords: LostRecordsReport;
  readonly #positions = new FetchPositions();
  readonly #loops = new Map<number, Promise<void>>();
  #accepting = new AbortController();
  #acceptedBytes = 0;
  /** Partitions that have room wait until less is held for those that have none. */
  #isPressed = false;
  #signal: AbortSignal | undefined;
  /** What ends the reading. */
  readonly #failures = new Queue<unknown>();
  #refreshed: Promise<void> | undefined;

  constructor(
    parts: {
      readonly connections: BrokerConnections;
      readonly catalog: TopicCatalog;
      readonly listener: FetchListener;
      readonly denied: DeniedTopics;
      readonly logger: Logger;
    },
    options: FetcherOptions,
  ) {
    this.#connections = parts.connections;
    this.#catalog = parts.catalog;
    this.#listener = parts.listener;
    this.#denied = parts.denied;
    this.#logger = parts.logger;
    this.#lostRecords = new LostRecordsReport(parts.logger);
    this.#options = options;
    setMaxListeners(0, this.#accepting.signal);
    // A partition whose leader has moved to a broker that is not asked yet would not be read at all.
    this.#catalog.onRefreshed(() => this.#startLoops());
  }

  /** Answers that came too late to count, so far. */
  get dropped(): number {
    return this.#positions.dropped;
  }

  /** Reads until the signal aborts; rejects with what waiting does not cure. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    try {
      const failure = await this.#failures.take(signal);
      if (!signal.aborted) throw failure;
    } finally {
      this.clear();
      await Promise.all(this.#loops.values());
    }
  }

  /** From now on these are read, from these offsets. */
  add(positions: readonly PartitionPosition[]): void {
    this.#positions.add(positions);
    this.#startLoops();
  }

  /** These are read no more: nothing of them is accepted from now on. */
  remove(partitions: readonly TopicPartition[]): void {
    this.#positions.remove(partitions);
    this.#denied.keepOnly((topic) => this.#positions.hasTopic(topic));
  }

  /** Nothing is read any more, and what is being accepted is given up. */
  clear(): void {
    this.#positions.clear();
    this.#denied.keepOnly(() => false);
    this.#accepting.abort();
    this.#accepting = new AbortController();
    // Each partition may wait for room.
    setMaxListeners(0, this.#accepting.signal);
  }

  #startLoops(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    for (const { topic, partition } of this.#positions) {
      const node = this.#catalog.leaderOf(topic, partition);
      if (node === undefined) this.#refreshSoon(signal);
      else if (!this.#loops.has(node))
        this.#loops.set(
          node,
          this.#loop(node, signal).catch((error) => this.#failures.put(error)),
        );
    }
  }

  async #loop(node: number, signal: AbortSignal): Promise<void> {
    const session = new FetchSession();
    while (!signal.aborted) {
      const nowMs = performance.now();
      if (!this.#leadsAny(node)) break;
      const wanted = this.#wanted(node, nowMs);
      // Who has room comes before what is held for those that have none.
      this.#isPressed ||= wanted.length > 0 && !this.#mayFetch;
      if (wanted.length === 0 || !this.#mayFetch) await sleep(this.#isAccepting(nowMs) ? SHORT_WAIT_MS : IDLE_MS, signal);
      else await this.#fetch(node, wanted, session, signal);
    }
    this.#loops.delete(node);
  }

  #leadsAny(node: number): boolean {
    for (const { topic, partition } of this.#positions) if (this.#catalog.leaderOf(topic, partition) === node) return true;
    return false;
  }

  get #mayFetch(): boolean {
    return this.#acceptedBytes < this.#options.fetchBytes * FETCHES_ACCEPTED;
  }

  /** What would find no room is not asked for: it would be held, or thrown away and fetched again. */
  #wanted(node: number, nowMs: number): FetchState[] {
    const wanted = this.#positions.wanted(node, (topic, partition) => this.#catalog.leaderOf(topic, partition), nowMs);
    return wanted.filter((state) => this.#listener.hasCapacity(state));
  }

  /** Whether something came a moment ago that is accepted soon. */
  #isAccepting(nowMs: number): boolean {
    for (const { phase, acceptingSinceMs } of this.#positions)
      if (phase === 'accepting' && nowMs - acceptingSinceMs < ACCEPTING_MS) return true;
    return false;
  }

  async #fetch(node: number, wanted: readonly FetchState[], session: FetchSession, signal: AbortSignal): Promise<void> {
    const asked = new Map<string, { state: FetchState; offset: number }>();
    for (const state of wanted) {
      this.#positions.ask(state, node);
      asked.set(partitionName(state), { state, offset: state.position });
    }
    try {
      const broker = await abortable(this.#connections.node(node), signal);
      const positions = wanted.map((state) => toFetchPosition(state, this.#catalog.leaderEpochOf(state.topic, state.partition)));
      const { fetchBytes } = this.#options;
      const { sessionId, partitions } = await abortable(
        broker.send(
          fetchRecords(
            {
              ...session.request(positions),
              maxWaitMs: this.#isAccepting(performance.now()) ? SHORT_WAIT_MS : MAX_WAIT_MS,
              maxBytes: fetchBytes,
              partitionBytes: Math.ceil(fetchBytes / PARTITIONS_PER_FETCH),
            },
            broker,
          ),
        ),
        signal,
      );
      session.answered(sessionId);
      const taken: Promise<void>[] = [];
      for (const partition of partitions) {
        const request = asked.get(partitionName(partition));
        if (request !== undefined && this.#positions.expects(request, node))
          taken.push(...this.#answered(partition, request.state, node, signal));
      }
      // What finds room is in the buffer within a moment, and its partition can be asked for again.
      if (taken.length > 0) await Promise.race([Promise.all(taken), sleep(SHORT_WAIT_MS)]);
    } catch (error) {
      session.reset();
      if (!signal.aborted) await this.#failed(error, signal);
    } finally {
      for (const { state } of asked.values()) this.#positions.release(state, node);
    }
  }

  /** @returns the acceptance of what came, if anything did */
  #answered(partition: FetchedPartition, state: FetchState, node: number, signal: AbortSignal): Promise<void>[] {
    const { error, bytes, topic } = partition;
    const lost = error === ERROR.NONE ? lostBefore(partition, state) : undefined;
    if (error === ERROR.NONE && lost === undefined) return [this.#accept(partition, state, bytes)];
    this.#positions.pause(state, performance.now());
    this.#positions.release(state, node);
    if (lost !== undefined) return [this.#goOn(state, async () => lost)];
    if (STALE.has(error)) this.#refreshSoon(signal);
    else if (error === ERROR.OFFSET_OUT_OF_RANGE) return [this.#goOn(state, async () => lostAt(await this.#connections.node(node), state))];
    else if (error === ERROR.TOPIC_AUTHORIZATION_FAILED) this.#denied.refused(topic);
    else this.#logger.debug({ topic, partition: state.partition, error }, 'A partition cannot be read at the moment');
    return [];
  }

  /** What waits for room is held, not fetched again, unless others that have room cannot be read because of it: then half of what may be on its way is theirs. */
  readonly #mayHold = (): boolean => {
    if (this.#acceptedBytes <= (this.#options.fetchBytes * FETCHES_ACCEPTED) / 2) this.#isPressed = false;
    return !this.#isPressed;
  };

  async #accept(fetched: FetchedPartition, state: FetchState, bytes: number): Promise<void> {
    const { signal } = this.#accepting;
    const { topic, partition, highWatermark } = fetched;
    this.#denied.ended(topic);
    state.phase = 'accepting';
    state.askedOf = undefined;
    state.acceptingSinceMs = performance.now();
    this.#acceptedBytes += bytes;
    let [next, behind] = [state.position, state.position];
    try {
      const read = await this.#decoded(fetched, state);
      if (read !== undefined) {
        behind = read.next;
        const epochs = readOn(state.epochs, read.epochs);
        const batch = { topic, partition, records: read.records, lastOffset: behind - 1, highWatermark, epochs };
        next = await this.#listener.accept(batch, signal, this.#mayHold);
        state.epochs = upTo(epochs, next);
      }
    } catch (error) {
      if (!signal.aborted) this.#failures.put(error);
    } finally {
      this.#acceptedBytes -= bytes;
    }
    this.#positions.took(state, next > state.position || next >= behind);
    state.position = next;
    if (next >= behind || signal.aborted) {
      state.phase = 'idle';
      return;
    }
    state.phase = 'full';
    // Nothing of it is held meanwhile.
    this.#listener.untilCapacity({ topic, partition }, signal).then(
      () => {
        state.notBeforeMs = Math.max(state.notBeforeMs, performance.now() + state.starved.lastMs);
        state.phase = 'idle';
      },
      (error) => this.#failures.put(error),
    );
  }

  /** Undefined for bytes that cannot be read: the partition waits, and the others go on. */
  async #decoded(fetched: FetchedPartition, state: FetchState): Promise<ReadBatches | undefined> {
    try {
      const read = await fetched.read(state.position);
      state.refused.reset();
      return read;
    } catch (error) {
      const { topic, partition, position } = state;
      if (state.refused.lastMs === 0)
        this.#logger.error({ err: error, topic, partition, position }, 'A partition contains bytes that cannot be read; trying again');
      this.#positions.pause(state, performance.now());
      return undefined;
    }
  }

  /** Records are gone: reads on where the log goes on. Of a topic that was made anew the group is told, and begins it again. */
  async #goOn(state: FetchState, find: () => Promise<LostRecords | undefined>): Promise<void> {
    const { topic, partition, position, topicId } = state;
    try {
      const lost = await find();
      if (lost === undefined) return;
      if (lost.kind === 'cut') {
        await this.#catalog.refresh();
        if (this.#catalog.topics.get(topic)?.id !== topicId) return;
      }
      if (this.#positions.get(topic, partition) !== state || state.position !== position) return;
      this.#lostRecords.tell(state, position, lost);
      if (lost.kind === 'cut') this.#listener.goBack(state, lost.point, lost.end);
      this.#positions.add([{ topic, partition, topicId, ...lost.point }]);
    } catch (error) {
      this.#logger.debug({ err: error, topic }, 'The position in a topic could not be read');
    }
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof BrokerRefusal) {
      if (error.code !== ERROR.FETCH_SESSION_ID_NOT_FOUND && error.code !== ERROR.INVALID_FETCH_SESSION_EPOCH)
        await sleep(RETRY_MS, signal);
      return;
    }
    if ((error as { readonly retriable?: unknown }).retriable !== true) throw error;
    this.#refreshSoon(signal);
    await sleep(RETRY_MS, signal);
  }

  /** Looks the leaders up, once for all that ask, and not more often than useful. */
  #refreshSoon(signal: AbortSignal): void {
    this.#refreshed ??= this.#refresh(signal).finally(() => {
      this.#refreshed = undefined;
    });
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    await sleep(RETRY_MS, signal);
    if (signal.aborted) return;
    await abortable(this.#catalog.refresh(), signal).catch((error) =>
      this.#logger.debug({ err: error }, 'The leaders of the topics could not be looked up'),
    );
  }
}
