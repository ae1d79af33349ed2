// Puts batches into Kafka, one transaction each, one at a time: while one is on its way the next is prepared and waits here,
// and a third one waits too. That is the pipeline's only queue, so memory stays bounded however slow Kafka is.
import { type Clock, systemClock } from '@tailwater/runtime';
import type { TopicRecords } from '../encode/record-encoder.js';

/** Sends records and the checkpoint that covers them in one atomic step (promise A). */
export interface TransactionSender {
  /** Resolves when all of it is committed; rejects when none of it is, or when that is not known. */
  send(topics: readonly TopicRecords[]): Promise<void>;
}

export interface Publication {
  /** None where there is nothing to send, but something to count once all before it is committed. */
  readonly topics: readonly TopicRecords[];
  /** Runs once the publication is committed. */
  readonly onCommitted?: () => void;
}

export class Publisher {
  readonly #sender: TransactionSender;
  readonly #seen: (topics: readonly TopicRecords[]) => void;
  readonly #clock: Clock;
  /** Publications that are on their way or wait for their turn. */
  #pending = 0;
  #sentAtMs = 0;
  #sending: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;

  /** @param seen - called with everything that is submitted, in its order */
  constructor(sender: TransactionSender, seen: (topics: readonly TopicRecords[]) => void = () => {}, clock = systemClock) {
    this.#sender = sender;
    this.#seen = seen;
    this.#clock = clock;
  }

  /** For how long, in milliseconds, the publication that is on its way has been so; undefined when everything is committed. */
  get underWayMs(): number | undefined {
    return this.#pending === 0 ? undefined : this.#clock.monotonic() - this.#sentAtMs;
  }

  /**
   * Resolves when the publication before this one is committed and this one is on its way.
   *
   * @throws what the sender threw for any publication before: nothing is sent behind a failure, so order holds (promise B)
   */
  async submit(publication: Publication): Promise<void> {
    const before = this.#sending;
    if (this.#pending === 0) this.#sentAtMs = this.#clock.monotonic();
    this.#pending += 1;
    this.#seen(publication.topics);
    // In line before anything is awaited, so that callers that do not wait keep the order too, and one is in flight.
    this.#sending = before.then(() => this.#send(publication));
    await before;
    this.throwIfFailed();
  }

  /** Resolves when everything submitted is committed. */
  async flush(): Promise<void> {
    await this.#sending;
    this.throwIfFailed();
  }

  /** Resolves when nothing that was submitted is on its way any more, whether it arrived or failed. */
  idle(): Promise<void> {
    return this.#sending;
  }

  /** Throws what the sender threw, for callers that have nothing to submit: a failure must not wait for the next event. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #send(publication: Publication): Promise<void> {
    try {
      if (this.#failure !== undefined) return;
      if (publication.topics.length > 0) await this.#sender.send(publication.topics);
      publication.onCommitted?.();
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#pending -= 1;
      this.#sentAtMs = this.#clock.monotonic();
    }
  }
}
