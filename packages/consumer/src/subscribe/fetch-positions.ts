// Where each partition of this process is read next. What is fetched counts only when it was asked for at exactly this position, under this assignment:
// an answer that is late, because the leader has moved or the partition was given back and taken again, is dropped (promises B and E).
import { Backoff, type FetchPosition } from '@tailwater/runtime';
import type { EpochHistory } from './epoch-history.js';
import type { TopicPartition } from './subscription.js';

export interface FetchState extends TopicPartition {
  /** The offset to read next. */
  position: number;
  /** Who wrote what is before that. */
  epochs: EpochHistory;
  /** Of the topic when reading began. */
  readonly topicId: string | undefined;
  /**
   * - `idle`: may be asked for
   * - `asked`: of the broker in `askedOf`, in its present request
   * - `accepting`: what came is on its way into the buffer
   * - `full`: there was no room for it; it is asked for again when there is
   */
  phase: 'idle' | 'asked' | 'accepting' | 'full';
  askedOf: number | undefined;
  /** Since when it has been accepting, in milliseconds of the monotonic clock. */
  acceptingSinceMs: number;
  /** Not asked for before then, in milliseconds of the monotonic clock. */
  notBeforeMs: number;
  /** Pauses after refusals. */
  readonly refused: Backoff;
  /** Pauses after it came and found no room for a single record. */
  readonly starved: Backoff;
}

export interface PartitionPosition extends TopicPartition {
  readonly offset: number;
  readonly epochs?: EpochHistory;
  readonly topicId?: string | undefined;
}

const STARVED = { minMs: 250, maxMs: 4_000 };
const REFUSED = { minMs: 50, maxMs: 1_000 };

/** Which epoch was read last says something only to the leader of the epoch that is known: one that leads no more may know of none as high. */
export function toFetchPosition({ topic, partition, position, epochs }: FetchState, leaderEpoch: number | undefined): FetchPosition {
  const lastEpoch = leaderEpoch === undefined ? undefined : epochs.at(-1)?.epoch;
  return { topic, partition, offset: position, leaderEpoch, lastEpoch };
}

export class FetchPositions {
  readonly #states = new Map<string, Map<number, FetchState>>();
  #dropped = 0;

  /** Answers that were not what this assignment expected, so far. */
  get dropped(): number {
    return this.#dropped;
  }

  get(topic: string, partition: number): FetchState | undefined {
    return this.#states.get(topic)?.get(partition);
  }

  /** Whether a partition of the topic is read. */
  hasTopic(topic: string): boolean {
    return this.#states.has(topic);
  }

  *[Symbol.iterator](): Generator<FetchState> {
    for (const ofTopic of this.#states.values()) yield* ofTopic.values();
  }

  /** Reading begins, or begins again, at these positions. */
  add(positions: readonly PartitionPosition[]): void {
    for (const { topic, partition, offset, epochs = [], topicId } of positions) {
      const ofTopic = this.#states.get(topic) ?? new Map<number, FetchState>();
      this.#states.set(topic, ofTopic);
      ofTopic.set(partition, {
        topic,
        partition,
        position: offset,
        epochs,
        topicId,
        phase: 'idle',
        askedOf: undefined,
        acceptingSinceMs: 0,
        notBeforeMs: 0,
        refused: new Backoff(REFUSED),
        starved: new Backoff(STARVED),
      });
    }
  }

  /** What comes for these from now on is dropped. */
  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const ofTopic = this.#states.get(topic);
      ofTopic?.delete(partition);
      if (ofTopic?.size === 0) this.#states.delete(topic);
    }
  }

  clear(): void {
    this.#states.clear();
  }

  /** Those to ask this broker for now. One that another broker, which led it before, has not answered for yet is asked for all the same. */
  wanted(node: number, leaderOf: (topic: string, partition: number) => number | undefined, nowMs: number): FetchState[] {
    const wanted: FetchState[] = [];
    for (const state of this) {
      const isFree = state.phase === 'idle' || (state.phase === 'asked' && state.askedOf !== node);
      if (isFree && state.notBeforeMs <= nowMs && leaderOf(state.topic, state.partition) === node) wanted.push(state);
    }
    return wanted;
  }

  ask(state: FetchState, node: number): void {
    state.phase = 'asked';
    state.askedOf = node;
  }

  /** Whether an answer of this broker to a request at this offset is what the partition expects next; it is counted when it is not. */
  expects(asked: { readonly state: FetchState; readonly offset: number }, node: number): boolean {
    const { state, offset } = asked;
    const expected =
      this.get(state.topic, state.partition) === state && state.phase === 'asked' && state.askedOf === node && state.position === offset;
    if (!expected) this.#dropped += 1;
    return expected;
  }

  /** Nothing came: it may be asked for again, unless another broker has been meanwhile. */
  release(state: FetchState, node: number): void {
    if (state.phase !== 'asked' || state.askedOf !== node) return;
    state.phase = 'idle';
    state.askedOf = undefined;
  }

  /** What came found room, or none: then it is not fetched again at once, only to be dropped again. */
  took(state: FetchState, some: boolean): void {
    if (some) state.starved.reset();
    else state.starved.next();
  }

  /** The broker refused: it is asked for again a little later. */
  pause(state: FetchState, nowMs: number): void {
    state.notBeforeMs = nowMs + state.refused.next();
  }
}
