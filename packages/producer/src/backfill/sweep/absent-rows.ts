// Keys that the source no longer has as rows of deletes, without those that the tail has touched (promise B).
import type { Position } from '@tailwater/schema';
import type { ChangeBatch } from '../../changes/change-batch.js';
import type { Window } from '../../writer/touched-keys.js';

/** Keys that a read of the source did not find. */
export interface Absence {
  readonly keys: readonly string[];
  /** Where in the oplog the read stands: none of them was there then, unless the tail has touched it since. */
  readonly position: Position;
}

/** A tombstone is its key: there is no document to take an `_id` from. */
const NO_DOCUMENT = Buffer.alloc(0);

/** Appends the rows to `out`. */
export function fillFromAbsence(out: ChangeBatch, window: Window, absence: Absence): void {
  for (const key of absence.keys) {
    if (window.touched.has(key)) continue;
    const row = out.addRead('delete', window.namespace, key, absence.position);
    out.idSource[row] = NO_DOCUMENT;
    out.idType[row] = 0;
    out.idStart[row] = 0;
    out.idEnd[row] = 0;
    out.document[row] = undefined;
  }
}
