// What was read of a collection as rows of changes, without what the tail has touched since (promise B).
import { findId, type Position, recordKey } from '@tailwater/schema';
import type { ChangeBatch } from '../changes/change-batch.js';
import type { Window } from '../writer/touched-keys.js';

export interface ReadRows {
  readonly documents: readonly Buffer[];
  /** Keys that were asked for and are not there. */
  readonly absent?: readonly string[];
  /** Where in the oplog the rows stand: each is as it was then, unless the tail has touched it since. */
  readonly position: Position;
}

/** A tombstone is its key: there is no document to take an `_id` from. */
const NO_DOCUMENT = Buffer.alloc(0);

/** Appends the documents' rows to `out`, and returns how many were left out. */
export function fillFromDocuments(out: ChangeBatch, window: Window, { documents, position }: ReadRows): number {
  let dropped = 0;
  for (const document of documents) {
    const id = findId(document);
    const key = id === undefined ? undefined : recordKey(document, id.type, id.start);
    if (id === undefined || key === undefined || window.touched.has(key)) {
      dropped += 1;
      continue;
    }
    const row = out.addRead('read', window.namespace, key, position);
    out.idSource[row] = document;
    out.idType[row] = id.type;
    out.idStart[row] = id.start;
    out.idEnd[row] = id.end;
    out.document[row] = document;
  }
  return dropped;
}

/** Appends a delete for each key that is not there. */
export function fillFromAbsence(out: ChangeBatch, window: Window, { absent = [], position }: Omit<ReadRows, 'documents'>): void {
  for (const key of absent) {
    if (window.touched.has(key)) continue;
    const row = out.addRead('delete', window.namespace, key, position);
    out.idSource[row] = NO_DOCUMENT;
    out.idType[row] = 0;
    out.idStart[row] = 0;
    out.idEnd[row] = 0;
    out.document[row] = undefined;
  }
}
