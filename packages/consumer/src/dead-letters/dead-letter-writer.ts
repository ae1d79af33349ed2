// Writes dead letters, one send in flight: what comes while it is under way shares the next. A letter is written when the broker has
// acknowledged it, and only then may its offset be committed (promise A's twin on this side).
import type { DeadLetterMessage } from './dead-letter.js';

/** Sends and waits for the acknowledgement of all replicas that are in step. */
export interface DeadLetterSender {
  send(deadLetters: readonly DeadLetterMessage[]): Promise<void>;
}

interface Waiting {
  readonly deadLetter: DeadLetterMessage;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** A send is one record batch, which the topic bounds; a larger letter goes alone. */
const MAX_SEND_BYTES = 1024 * 1024;

export class DeadLetterWriter {
  readonly #sender: DeadLetterSender;
  #waiting: Waiting[] = [];
  #sending = false;

  constructor(sender: DeadLetterSender) {
    this.#sender = sender;
  }

  /** Resolves when the letter is in the topic. How many may wait is the caller's to bound. */
  write(deadLetter: DeadLetterMessage): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ deadLetter, done, failed });
      if (!this.#sending) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#sender.send(batch.map(({ deadLetter }) => deadLetter));
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    this.#sending = false;
  }

  #take(): Waiting[] {
    let [count, bytes] = [0, 0];
    for (const { deadLetter } of this.#waiting) {
      bytes += deadLetter.value.length + deadLetter.key.length + 1000;
      if (count > 0 && bytes > MAX_SEND_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
