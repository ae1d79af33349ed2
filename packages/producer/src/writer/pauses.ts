// What somebody has paused: copies, and the tail where that was asked for. It survives restarts in the checkpoint.
import { woken } from '@tailwater/runtime';
import { NOTHING_PAUSED, type Paused } from '../checkpoint/checkpoint-record.js';

export class Pauses {
  #current: Paused;
  #waiting: (() => void)[] = [];

  constructor(paused: Paused = NOTHING_PAUSED) {
    this.#current = paused;
  }

  get current(): Paused {
    return this.#current;
  }

  set(paused: Paused): void {
    this.#current = paused;
    for (const look of this.#waiting.splice(0)) look();
  }

  /** Resolves when it is not paused, or when the signal aborts. */
  async untilResumed(what: keyof Paused, signal: AbortSignal): Promise<void> {
    while (this.#current[what] && !signal.aborted) {
      await woken(signal, (wake) => this.#waiting.push(wake));
    }
  }
}
