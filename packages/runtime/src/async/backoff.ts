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
  #lastMs = 0;

  constructor({ minMs, maxMs, factor = 2 }: BackoffOptions) {
    this.#options = { minMs, maxMs, factor };
  }

  /** The pause that {@link next} told last, in milliseconds; 0 before the first one and after a success. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** The pause that is due, in milliseconds; the one after it is longer. */
  next(): number {
    const { minMs, maxMs, factor } = this.#options;
    this.#lastMs = Math.min(Math.max(minMs, this.#lastMs * factor), maxMs);
    return this.#lastMs;
  }

  /** Pauses; ends early when the signal aborts. */
  pause(signal?: AbortSignal): Promise<void> {
    return sleep(this.next(), signal);
  }

  /** An attempt has succeeded: the next pause is the first one again. */
  reset(): void {
    this.#lastMs = 0;
  }
}
