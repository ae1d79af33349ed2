// The topic of the checkpoints may be deleted and made anew while a producer writes to it, by hand, or by a broker that makes topics by itself. What is not written with each
// batch, such as that a collection was copied, or is to be swept, is then missing in it, which is not visible: it is repeated (promise A).
import type { Logger } from '@tailwater/runtime';
import type { Publisher } from '../publish/publisher.js';
import type { TopicList } from '../publish/topic-list.js';
import type { CheckpointBase } from './base.js';

export interface CheckpointTopicParts {
  readonly list: Pick<TopicList, 'read'>;
  readonly topic: string;
  readonly base: CheckpointBase;
  readonly logger: Logger;
}

export class CheckpointTopic {
  readonly #parts: CheckpointTopicParts;
  #id: string | undefined;

  constructor(parts: CheckpointTopicParts) {
    this.#parts = parts;
  }

  /** Before anything is read of it. */
  async remember(): Promise<void> {
    this.#id = await this.#now();
  }

  /** Repeats everything when it is another one than it was. Brokers before 3.1 do not tell. */
  async look(publisher: Pick<Publisher, 'submit' | 'flush'>): Promise<void> {
    const { topic, base, logger } = this.#parts;
    const now = await this.#now();
    if (now === undefined || now === this.#id) return;
    if (this.#id !== undefined) {
      [base.from, base.scanned] = [0n, 0n];
      // Nothing is awaited in between: what is submitted after it is newer.
      await publisher.submit({ topics: [{ topic, messages: base.messages(0n) }] });
      await publisher.flush();
      logger.warn({ topic, records: base.size }, `${topic} was deleted and recreated: the producer writes its state to it again`);
    }
    this.#id = now;
  }

  async #now(): Promise<string | undefined> {
    return (await this.#parts.list.read()).get(this.#parts.topic)?.id;
  }
}
