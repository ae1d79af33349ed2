// What a source's raw entries become changes by, whichever source it is.
import type { Position } from '@tailwater/schema';
import type { ChangeBatch } from './change-batch.js';

export interface EntryNormalizer {
  /** Appends the changes of these entries to `out`, in order. */
  normalize(entries: readonly Buffer[], out: ChangeBatch): void;
  /** The position to resume from behind this row of `rows`, where the row after it belongs to another entry. */
  positionBehind(rows: ChangeBatch, row: number): Position;
}
