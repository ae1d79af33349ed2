// Follows the number of dead letters of a running consumer's target, whichever process writes or removes them.
import { abortable, type Logger, type Service, sleep } from '@tailwater/runtime';
import type { DeadLetterCount, DeadLetterCounter } from './dead-letter-counter.js';

const INTERVAL_MS = 30_000;
const LIMIT_MS = 60_000;

export class DeadLetterGauge implements Service {
  readonly #counter: Pick<DeadLetterCounter, 'count'>;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #last: DeadLetterCount | undefined;
  #told = false;

  constructor(counter: Pick<DeadLetterCounter, 'count'>, logger: Logger, intervalMs = INTERVAL_MS) {
    this.#counter = counter;
    this.#logger = logger;
    this.#intervalMs = intervalMs;
  }

  /** As of half a minute ago; undefined until it is known. */
  get last(): DeadLetterCount | undefined {
    return this.#last;
  }

  /** Counts now and then until the signal aborts. A count that fails stops nothing: the next one may not. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#last = await abortable(this.#counter.count(LIMIT_MS, signal), signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#last = undefined;
        if (!this.#told) this.#logger.warn({ err: error }, 'The dead letters cannot be counted; trying again later');
        this.#told = true;
      }
      await sleep(this.#intervalMs, signal);
    }
  }
}
