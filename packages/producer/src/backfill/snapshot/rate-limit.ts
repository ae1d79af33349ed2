// Bounds what all workers of a snapshot read together, for sources that have other work to do.
import { type Clock, sleep, systemClock } from '@tailwater/runtime';

export class RateLimit {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #allowedAtMs = Number.NEGATIVE_INFINITY;

  /** @param perSecond - documents a second; 0 for no limit */
  constructor(perSecond: number, clock: Clock = systemClock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Milliseconds until the next read may begin. */
  get waitMs(): number {
    return Math.max(0, this.#allowedAtMs - this.#clock.monotonic());
  }

  /** Counts documents that were read. */
  took(documents: number): void {
    if (this.#perSecond === 0) return;
    this.#allowedAtMs = Math.max(this.#allowedAtMs, this.#clock.monotonic()) + (documents * 1000) / this.#perSecond;
  }

  /** Resolves when the next read may begin, or when the signal aborts. */
  async untilAllowed(signal: AbortSignal): Promise<void> {
    while (this.waitMs > 0 && !signal.aborted) await sleep(this.waitMs, signal);
  }
}
