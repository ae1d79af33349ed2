// Looks at the topics in use now and then, and soon when a broker does not know one: what is done to a topic is noticed while the producer runs.
import { errorCodes, Notifier, sleep, TailwaterError } from '@tailwater/runtime';

/** How often, in milliseconds. */
const LOOK_MS = 60_000;
/** Callers that wait for a topic ask often; for this long, in milliseconds, one look counts for all. */
const PAUSE_MS = 1000;

export class TopicWatch {
  readonly #look: () => Promise<void>;
  readonly #everyMs: number;
  #isAsked = false;
  readonly #doubted = new Notifier();

  /** @param look - throws TW1223 when a new session is due */
  constructor(look: () => Promise<void>, everyMs: number = LOOK_MS) {
    this.#look = look;
    this.#everyMs = everyMs;
  }

  /** It is in doubt whether a topic exists. */
  soon(): void {
    this.#isAsked = true;
    this.#doubted.notify();
  }

  /** @throws TailwaterError TW1223 */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#isAsked) await this.#doubted.next(signal, this.#everyMs);
      if (signal.aborted) return;
      this.#isAsked = false;
      try {
        await this.#look();
      } catch (error) {
        // What Kafka does not say now, it says the next time.
        if (error instanceof TailwaterError && error.code === errorCodes.TOPICS_LOST) throw error;
      }
      await sleep(Math.min(PAUSE_MS, this.#everyMs), signal);
    }
  }
}
