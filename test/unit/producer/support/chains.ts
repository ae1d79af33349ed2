// The chains of transactions among entries that a test has at hand.
import { entryTimestamp } from '#producer/source/oplog/oplog-cursor.js';
import { previousPosition } from '#producer/source/oplog/previous-position.js';
import type { TransactionSource } from '#producer/source/source.js';

export class Chains implements TransactionSource {
  readonly #byPosition = new Map<string, Buffer>();

  add(entries: readonly Buffer[]): this {
    for (const entry of entries) this.#byPosition.set(entryTimestamp(entry).toString(), entry);
    return this;
  }

  /** The entries of a transaction in order, the one that ends it last. */
  of(end: Buffer): Buffer[] {
    const chain = [end];
    for (let at = previousPosition(end); at !== undefined; at = previousPosition(chain[0] as Buffer)) {
      const entry = this.#byPosition.get(at.toString());
      if (entry === undefined) throw new Error(`There is no entry at ${at}`);
      chain.unshift(entry);
    }
    return chain;
  }

  async *entriesOf(end: Buffer): AsyncGenerator<Buffer> {
    yield* this.of(end);
  }
}
