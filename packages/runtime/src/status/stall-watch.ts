// Whether work stands still while some is to be done, whatever holds it up, unforeseen causes included.
import { type Clock, systemClock } from '../async/clock.js';
import { sleep } from '../async/sleep.js';

const INTERVAL_MS = 1_000;
/** Work that has not moved for so long stands still. */
const PATIENCE_MS = 10_000;

export interface WorkSeen {
  readonly isWaiting: boolean;
  /** Changes whenever something is done. */
  readonly done: number | string;
}

export class StallWatch {
  readonly #look: () => WorkSeen;
  readonly #clock: Clock;
  #done: number | string = '';
  #movedAtMs: number;

  constructor(look: () => WorkSeen, clock: Clock = systemClock) {
    this.#look = look;
    this.#clock = clock;
    this.#movedAtMs = clock.monotonic();
  }

  /** For how long nothing was done, in milliseconds, though there was work all the time; undefined while it moves. */
  get forMs(): number | undefined {
    this.#sample();
    const forMs = this.#clock.monotonic() - this.#movedAtMs;
    return forMs < PATIENCE_MS ? undefined : forMs;
  }

  /** Looks every second until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await sleep(INTERVAL_MS, signal)) this.#sample();
  }

  #sample(): void {
    const { isWaiting, done } = this.#look();
    if (isWaiting && done === this.#done) return;
    this.#done = done;
    this.#movedAtMs = this.#clock.monotonic();
  }
}
