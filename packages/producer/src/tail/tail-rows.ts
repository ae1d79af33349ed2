// What one read of the source brought, as rows to publish. Mostly that is all of it at once; a transaction that stands in
// several entries is handed on in portions, so that memory stays bounded however large it is.
import type { Position } from '@tailwater/schema';
import type { ChangeBatch } from '../changes/change-batch.js';
import type { EntryNormalizer } from '../source/entry-normalizer.js';
import type { EntryBatch } from '../source/source.js';

/** Rows from which on a portion is handed on. */
const PORTION_ROWS = 2000;

/**
 * Fills `rows`, and yields each time that they are to be published: the position behind them, or undefined inside a transaction,
 * where no checkpoint may fall (promise A). The last portion may be empty.
 *
 * @param portionBytes - of the entries that rows hold on to, from which on a portion is handed on, too
 */
export async function* tailRows(
  { entries, end }: EntryBatch,
  rows: ChangeBatch,
  normalizer: EntryNormalizer,
  portionBytes: number,
): AsyncGenerator<Position | undefined> {
  rows.clear();
  let heldBytes = 0;
  let next = normalizer.normalize(entries, rows);
  while (next < entries.length) {
    for await (const bytes of normalizer.expand(entries[next] as Buffer, rows)) {
      heldBytes += bytes;
      if (rows.length < PORTION_ROWS && heldBytes < portionBytes) continue;
      yield undefined;
      // Commands among them wait for the checkpoint that covers them.
      rows.length = 0;
      heldBytes = 0;
    }
    next = normalizer.normalize(entries, rows, next + 1);
  }
  yield end;
}
