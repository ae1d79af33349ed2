// What a source's raw entries become changes by, whichever source it is.
import type { Position } from '@tailwater/schema';
import type { ChangeBatch } from '../changes/change-batch.js';

export interface EntryNormalizer {
  /**
   * Appends the changes of the entries from `from` on to `out`, in order, up to one that ends a transaction whose operations
   * stand in other entries, which `expand` reads.
   *
   * @returns the index of that entry, or `entries.length`
   */
  normalize(entries: readonly Buffer[], out: ChangeBatch, from?: number): number;
  /**
   * Appends the operations of such a transaction, at the position of its end. It yields whenever the caller may publish `out` and
   * go on with its rows at none: each time how many bytes they hold on to more than before.
   */
  expand(end: Buffer, out: ChangeBatch): AsyncGenerator<number>;
  /**
   * The position to resume from behind this row of `rows`, where the row after it belongs to another entry; undefined when there is
   * none, because entries of two shards share a position.
   */
  positionBehind(rows: ChangeBatch, row: number): Position | undefined;
}
