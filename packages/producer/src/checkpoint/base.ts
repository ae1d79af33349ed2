// A known place to begin reading. The records of a checkpoint are spread over the whole topic: the position is written with each batch, and
// that a collection was copied once, years ago. Now and then all of them are repeated in one transaction, with a record that says from which
// offset on nothing is missing. A reader looks for the newest such record backwards from the end (promise A at any age of the topic).
import { baseMessage, type CheckpointMessage, isRepeated } from './checkpoint-record.js';

/**
 * Maintained invariant: it holds the newest value of every key of the source, of all that was read and of all that was submitted since, in
 * the order in which it was submitted. What is made of it and submitted at once is therefore never older than what stands before it.
 */
export class CheckpointBase {
  readonly #source: string;
  readonly #values = new Map<string, Buffer>();
  /** Where a reader begins now; undefined while nothing was read. */
  from: bigint | undefined;
  /** Up to here other sources were looked for. */
  scanned = 0n;
  isShared = false;

  constructor(source: string) {
    this.#source = source;
  }

  /** How many records are repeated. */
  get size(): number {
    return this.#values.size;
  }

  /** Takes a record of the topic, of any source. */
  take(key: string, value: Buffer | null): void {
    if (!isRepeated(this.#source, key)) return;
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, value);
  }

  /** Everything, and that it is whole from the offset `from` on. */
  messages(from: bigint): CheckpointMessage[] {
    const repeated = [...this.#values].map(([key, value]): CheckpointMessage => ({ key: Buffer.from(key), value, partition: 0 }));
    return [baseMessage(this.#source, { from, isShared: this.isShared }), ...repeated];
  }
}
