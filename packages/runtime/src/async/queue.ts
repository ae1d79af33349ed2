// What comes in on one side and is waited for on the other, in its order.
import { Notifier } from './notifier.js';

export class Queue<T> {
  readonly #items: T[] = [];
  readonly #added = new Notifier();

  get length(): number {
    return this.#items.length;
  }

  /** What waits, the first first. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  put(item: T): void {
    this.#items.push(item);
    this.#added.notify();
  }

  /** Takes the first one out, as soon as there is one; undefined when the signal aborts. */
  async take(signal: AbortSignal): Promise<T | undefined> {
    while (this.#items.length === 0 && !signal.aborted) await this.#added.next(signal);
    return signal.aborted ? undefined : this.#items.shift();
  }
}
