// How many dead letters a target has, for the status and the metrics. Only reading the topic tells: removed letters leave offsets
// behind. What was read once is not read again.
import { type KafkaClient, partitionEnds } from '@tailwater/runtime';
import { readToEnd } from '../subscribe/kafka-reader.js';
import { decodeDeadLetter } from './dead-letter.js';

export interface DeadLetterCount {
  readonly count: number;
  /** False: there are at most so many. The topic is too long to be read in the time. */
  readonly exact: boolean;
}

/** A hundred bytes each: who has more letters than this does not need the exact number. */
const MAX_KNOWN = 100_000;

export class DeadLetterCounter {
  readonly #kafka: KafkaClient;
  readonly #topic: string;
  /** The ids of those that were not removed. */
  readonly #deadLetters = new Set<string>();
  /** The offset to go on from. */
  #next = 0;

  constructor(kafka: KafkaClient, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  /**
   * Counts; what took longer than `limitMs` milliseconds is gone on with the next time.
   *
   * @throws TailwaterError TW12xx when Kafka cannot be reached, or does not let this user read the topic
   */
  async count(limitMs: number, signal: AbortSignal): Promise<DeadLetterCount> {
    if (this.#deadLetters.size >= MAX_KNOWN) return this.#bound(await this.#end());
    const limit = AbortSignal.timeout(limitMs);
    const from = [{ topic: this.#topic, partition: 0, offset: this.#next }];
    const options = { topics: [this.#topic], from, signal: AbortSignal.any([signal, limit]) };
    try {
      const [end] = await readToEnd(this.#kafka, options, (record) => {
        const id = record.key?.toString('utf8') ?? '';
        if (decodeDeadLetter(record) === undefined) this.#deadLetters.delete(id);
        else this.#deadLetters.add(id);
        this.#next = Number(record.offset) + 1;
      });
      if ((end?.high ?? 0) < this.#next) return this.#startOver(limitMs, signal);
      this.#next = end?.high ?? 0;
      return { count: this.#deadLetters.size, exact: true };
    } catch (error) {
      if (!limit.aborted || signal.aborted) throw error;
      return this.#bound(await this.#end());
    }
  }

  /** The topic was deleted, and perhaps made anew. */
  #startOver(limitMs: number, signal: AbortSignal): Promise<DeadLetterCount> {
    this.#deadLetters.clear();
    this.#next = 0;
    return this.count(limitMs, signal);
  }

  /** The rest may be letters, all of them. */
  #bound(end: number): DeadLetterCount {
    return { count: this.#deadLetters.size + Math.max(0, end - this.#next), exact: false };
  }

  async #end(): Promise<number> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const [end] = await partitionEnds(admin, [this.#topic]);
      return end?.high ?? 0;
    } finally {
      await admin.disconnect();
    }
  }
}
