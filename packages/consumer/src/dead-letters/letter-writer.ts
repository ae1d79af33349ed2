// Writes dead letters, one send in flight: what comes while it is under way shares the next. A letter is written when the broker has
// acknowledged it, and only then may its offset be committed (promise A's twin on this side).
import type { LetterMessage } from './dead-letter.js';

/** Sends and waits for the acknowledgement of all replicas that are in step. */
export interface LetterSender {
  send(letters: readonly LetterMessage[]): Promise<void>;
}

interface Waiting {
  readonly letter: LetterMessage;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** A send is one record batch, which the topic bounds; a larger letter goes alone. */
const MAX_SEND_BYTES = 1024 * 1024;

export class LetterWriter {
  readonly #sender: LetterSender;
  #waiting: Waiting[] = [];
  #sending = false;

  constructor(sender: LetterSender) {
    this.#sender = sender;
  }

  /** Resolves when the letter is in the topic. How many may wait is the caller's to bound. */
  write(letter: LetterMessage): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ letter, done, failed });
      if (!this.#sending) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#sender.send(batch.map(({ letter }) => letter));
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    this.#sending = false;
  }

  #take(): Waiting[] {
    let [count, bytes] = [0, 0];
    for (const { letter } of this.#waiting) {
      bytes += letter.value.length + letter.key.length + 1000;
      if (count > 0 && bytes > MAX_SEND_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
