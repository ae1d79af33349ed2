// Pauses between attempts: each longer than the one before, up to a limit, and short again after a success.
import { sleep } from './sleep.js';

export interface BackoffOptions {
  /** The first pause, in milliseconds. */
  readonly minMs: number;
  /** No pause is longer, in milliseconds. */
  readonly maxMs: number;
  /** So many times the pause before. Default 2. */
  readonly factor?: number;
}

export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #nextMs: number;

  constructor({ minMs, maxMs, factor = 2 }: BackoffOptions) {
    this.#options = { minMs, maxMs, factor };
    this.#nextMs = Math.min(minMs, maxMs);
  }

  /** The pause that is due, in milliseconds; the one after it is longer. */
  next(): number {
    const { maxMs, factor } = this.#options;
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * factor, maxMs);
    return ms;
  }

  /** Pauses; ends early when the signal aborts. */
  pause(signal?: AbortSignal): Promise<void> {
    return sleep(this.next(), signal);
  }

  /** An attempt has succeeded: the next pause is the first one again. */
  reset(): void {
    this.#nextMs = Math.min(this.#options.minMs, this.#options.maxMs);
  }
}
