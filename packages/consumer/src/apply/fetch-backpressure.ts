// Room for what is fetched of a topic. What came and found none is held, in its order, for as long as others do not need what it takes up; meanwhile nothing more of
// its topic is asked for, which would only find no room either and be fetched again.
import { onAbort } from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import type { Lanes } from './lanes.js';

/** How long, in milliseconds, what was fetched is held for room before it is asked whether it may be held on. */
const PATIENCE_MS = 1_000;

export interface Held {
  readonly signal: AbortSignal;
  /** Whether what was fetched may be held for longer than a moment; else it is better fetched again. */
  readonly mayHold: () => boolean;
  /** Whether it is not wanted any more. */
  readonly isRevoked: () => boolean;
}

export class FetchBackpressure {
  readonly #lanes: Pick<Lanes, 'hasCapacityFor' | 'untilCapacity' | 'waiting'>;
  /** Where the changes of a topic went last. */
  readonly #destinations = new Map<string, Namespace>();
  /** Partitions of a topic with fetched records that wait for room. */
  readonly #held = new Map<string, number>();

  constructor(lanes: Pick<Lanes, 'hasCapacityFor' | 'untilCapacity' | 'waiting'>) {
    this.#lanes = lanes;
  }

  /** Whether there is room for more of the topic than what was fetched of it already, as far as is known where its changes go. */
  hasCapacity(topic: string): boolean {
    const destination = this.#destinations.get(topic);
    return destination === undefined || ((this.#held.get(topic) ?? 0) === 0 && this.#lanes.hasCapacityFor(destination));
  }

  /** Resolves when there is room where the topic's changes go, or the signal aborts. */
  async untilCapacity(topic: string, signal: AbortSignal): Promise<void> {
    const destination = this.#destinations.get(topic);
    if (destination !== undefined) await this.#lanes.untilCapacity(signal, destination);
  }

  /** Whether a change of the topic finds room at once. */
  takes(topic: string, destination: Namespace): boolean {
    this.#destinations.set(topic, destination);
    return this.#lanes.hasCapacityFor(destination);
  }

  /** Waits, as long as that may be held. @returns whether there is room now */
  async hold(topic: string, destination: Namespace, held: Held): Promise<boolean> {
    this.#count(topic, 1);
    try {
      while (!this.#lanes.hasCapacityFor(destination)) {
        if (held.signal.aborted || held.isRevoked()) return false;
        if (await this.#hasCapacitySoon(held.signal, destination)) continue;
        if (!held.mayHold() || this.#lanes.waiting.some(({ namespace }) => namespace === destination)) return false;
      }
      return !held.signal.aborted && !held.isRevoked();
    } finally {
      this.#count(topic, -1);
    }
  }

  #count(topic: string, by: 1 | -1): void {
    this.#held.set(topic, (this.#held.get(topic) ?? 0) + by);
  }

  async #hasCapacitySoon(signal: AbortSignal, destination: Namespace): Promise<boolean> {
    const patience = new AbortController();
    const end = () => patience.abort();
    const stopListening = onAbort(signal, end);
    const timer = setTimeout(end, PATIENCE_MS);
    await this.#lanes.untilCapacity(patience.signal, destination);
    clearTimeout(timer);
    stopListening();
    return this.#lanes.hasCapacityFor(destination);
  }
}
