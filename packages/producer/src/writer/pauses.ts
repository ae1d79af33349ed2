// What is paused: copies, and the tail if requested. It survives restarts in the checkpoint.
import { Notifier } from '@tailwater/runtime';
import { NOTHING_PAUSED, type Paused } from '../checkpoint/checkpoint-record.js';

export class Pauses {
  #current: Paused;
  readonly #changed = new Notifier();

  constructor(paused: Paused = NOTHING_PAUSED) {
    this.#current = paused;
  }

  get current(): Paused {
    return this.#current;
  }

  set(paused: Paused): void {
    this.#current = paused;
    this.#changed.notify();
  }

  /** Resolves when it is not paused, or when the signal aborts. */
  async untilResumed(what: keyof Paused, signal: AbortSignal): Promise<void> {
    await this.#changed.until(() => !this.#current[what], signal);
  }
}
