// Room for changes between Kafka and the target, divided among places, so that one that takes nothing cannot keep the others out.
//
// A place may hold twice what is free (the dynamic threshold of shared-memory switches: https://doi.org/10.1109/90.664262): alone it gets
// two thirds, and something is always left for the others. What waits for a place that takes nothing is on a second account of the same
// size, so that it leaves the first one to the others; only what exceeds it is taken from them, down to a least share for each.
//
// Maintained invariant: no more is held than twice the size, a least share for each place, and for each one change that may be large.
import { setImmediate as turn } from 'node:timers/promises';
import { Notifier } from '@tailwater/runtime';
import type { Place } from './place.js';

export interface BufferSize {
  readonly count: number;
  readonly bytes: number;
}

/** A place may hold so many times what is free. */
const GREED = 2;
/** Whatever others hold, a place that takes changes may hold this part of the buffer. */
const LEAST_PART = 1 / 128;
/** A place that waits needs no more than what tells whether it still has to: this part of the buffer. */
const PART_OF_WAITING = 1 / 8;

const MEASURES = ['count', 'bytes'] as const;

export class SharedBuffer {
  readonly #size: BufferSize;
  /** What is held for places that take changes, and for those that do not. */
  readonly #open = { count: 0, bytes: 0 };
  readonly #waiting = { count: 0, bytes: 0 };
  /** For each place that something waits for: there is room again. */
  readonly #freed = new Map<Place, Notifier>();
  #waking = false;

  constructor(size: BufferSize) {
    this.#size = size;
  }

  get held(): BufferSize {
    return { count: this.#open.count + this.#waiting.count, bytes: this.#open.bytes + this.#waiting.bytes };
  }

  hasCapacityFor(place: Place): boolean {
    if (!place.isWaiting)
      return MEASURES.every((measure) => place[measure] < Math.max(GREED * this.#free(measure), this.#size[measure] * LEAST_PART));
    if (place.count === 0) return true;
    return MEASURES.every(
      (measure) => place[measure] < this.#size[measure] * PART_OF_WAITING && this.#waiting[measure] < this.#size[measure],
    );
  }

  /** Resolves when there is room for a change of the place, or the signal aborts. */
  async untilCapacity(signal: AbortSignal, place: Place): Promise<void> {
    while (!this.hasCapacityFor(place) && !signal.aborted) {
      const freed = this.#freed.get(place) ?? new Notifier();
      this.#freed.set(place, freed);
      await freed.next(signal);
      if (!freed.isAwaited && this.#freed.get(place) === freed) this.#freed.delete(place);
    }
  }

  add(place: Place, bytes: number): void {
    this.#change(place, 1, bytes);
  }

  remove(place: Place, bytes: number): void {
    this.#change(place, -1, -bytes);
    void this.#wake();
  }

  /** To be called with each place that begins or ceases to wait. */
  moved(place: Place): void {
    const [from, to] = place.isWaiting ? [this.#open, this.#waiting] : [this.#waiting, this.#open];
    for (const measure of MEASURES) {
      from[measure] -= place[measure];
      to[measure] += place[measure];
    }
    void this.#wake();
  }

  #change(place: Place, count: number, bytes: number): void {
    place.count += count;
    place.bytes += bytes;
    const account = place.isWaiting ? this.#waiting : this.#open;
    account.count += count;
    account.bytes += bytes;
  }

  #free(measure: 'count' | 'bytes'): number {
    const size = this.#size[measure];
    return size - this.#open[measure] - Math.max(0, this.#waiting[measure] - size);
  }

  /** Once for all that settle in one turn: there may be thousands of them, and of those that wait. */
  async #wake(): Promise<void> {
    if (this.#waking || this.#freed.size === 0) return;
    this.#waking = true;
    await turn();
    this.#waking = false;
    for (const [place, freed] of this.#freed) if (this.hasCapacityFor(place)) freed.notify();
  }
}
