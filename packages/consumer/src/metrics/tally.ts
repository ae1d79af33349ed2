// What the consumer has done, as plain numbers that the hot path can afford to count (promise E):
//
//     read = applied + superseded + filtered + dead-lettered + skipped + returned + what is buffered at the moment
import type { Outcome } from '../apply/delivery.js';

export class Tally {
  /** Changes read from Kafka, records that cannot be decoded among them; a change that was returned and comes again is read again. */
  read = 0;
  /** Changes that the target accepted, or whose effect it held already. */
  applied = 0;
  /** Changes older than what the target holds, or followed by another of the same key in the same batch. */
  superseded = 0;
  /** Changes that the transform stage left nothing of. */
  filtered = 0;
  /** Changes that the target refuses for good, and records that cannot be decoded, which are in the dead-letter topic now. */
  deadLettered = 0;
  /** The same with --on-error skip: they are nowhere. */
  skipped = 0;
  /** Changes given back with their partition before they were applied: the next owner reads them again. */
  returned = 0;
  /** Control records, which are no changes. */
  control = 0;
  /** Document bytes read. */
  bytes = 0;
  /** Requests to the target that were answered. */
  requests = 0;
  /** Batches, or parts of one, that were tried again. */
  retries = 0;

  readonly #appliedOf = new Map<string, number>();

  /** Changes that the target accepted, by topic. */
  get appliedOf(): ReadonlyMap<string, number> {
    return this.#appliedOf;
  }

  end(outcome: Outcome, topic: string): void {
    this[outcome] += 1;
    if (outcome === 'applied') this.#appliedOf.set(topic, (this.#appliedOf.get(topic) ?? 0) + 1);
  }
}
