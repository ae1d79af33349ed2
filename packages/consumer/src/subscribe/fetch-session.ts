// What a broker remembers of our fetches, so that a request names only what changed, and an idle pipeline of thousands of partitions costs next to nothing:
// https://cwiki.apache.org/confluence/display/KAFKA/KIP-227
import type { FetchParameters, FetchPosition } from '@tailwater/runtime';
import { partitionName, type TopicPartition } from './subscription.js';

/** Wraps to 1: 0 begins a session. */
const LAST_EPOCH = 0x7fffffff;

const isSame = (a: FetchPosition | undefined, b: FetchPosition): boolean =>
  a?.offset === b.offset && a.leaderEpoch === b.leaderEpoch && a.lastEpoch === b.lastEpoch;

export class FetchSession {
  #id = 0;
  #epoch = 0;
  /** What the broker was last asked for, by partition. */
  #known = new Map<string, FetchPosition>();

  /** The part of a request that makes the broker read exactly these positions. */
  request(wanted: readonly FetchPosition[]): Pick<FetchParameters, 'session' | 'positions' | 'forgotten'> {
    const now = new Map(wanted.map((position) => [partitionName(position), position]));
    const isFull = this.#epoch === 0;
    const positions = isFull ? wanted : wanted.filter((each) => !isSame(this.#known.get(partitionName(each)), each));
    const forgotten: TopicPartition[] = [];
    if (!isFull) for (const [name, { topic, partition }] of this.#known) if (!now.has(name)) forgotten.push({ topic, partition });
    this.#known = now;
    return { session: { id: this.#id, epoch: this.#epoch }, positions, forgotten };
  }

  /** The broker answered. Without a session of its own it has to be told everything each time. */
  answered(sessionId: number): void {
    if (sessionId === 0) {
      this.reset();
      return;
    }
    this.#epoch = this.#id === sessionId && this.#epoch < LAST_EPOCH ? this.#epoch + 1 : 1;
    this.#id = sessionId;
  }

  /** The broker has forgotten, or did not answer: the next request begins anew. */
  reset(): void {
    this.#id = 0;
    this.#epoch = 0;
    this.#known.clear();
  }
}
