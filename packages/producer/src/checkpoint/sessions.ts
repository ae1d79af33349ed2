// The sessions of one process: it must know its own from those of a producer that took over. A producer that begins anew
// fences all others, so one that was replaced, and may have been told so by any error, looks before it does.
import { randomUUID } from 'node:crypto';
import { type KafkaClient, TailwaterError } from '@tailwater/runtime';
import { type CheckpointLocation, newestSession } from './kafka-checkpoint-store.js';

export class Sessions {
  readonly #process = randomUUID();
  #begun = 0;

  /** A name that no session had before. */
  begin(): string {
    this.#begun += 1;
    return `${this.#process}/${this.#begun}`;
  }

  /**
   * Looks whether the newest session is still one of this process. The first one of a process takes over from whoever there is.
   *
   * @throws TailwaterError TW1205 when another producer has announced itself since
   */
  async expectNotReplaced(kafka: KafkaClient, location: CheckpointLocation): Promise<void> {
    if (this.#begun === 0) return;
    const newest = await newestSession(kafka, location);
    if (newest !== undefined && !newest.startsWith(`${this.#process}/`)) throw new TailwaterError('TW1205', { brokers: kafka.brokers });
  }
}
