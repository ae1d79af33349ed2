// A chunk's documents as rows of changes, without those that the tail has touched (promise B).
import { findId, recordKey } from '@tailwater/schema';
import type { ChangeBatch } from '../../changes/change-batch.js';
import type { Window } from '../../writer/touched-keys.js';
import type { Chunk } from './chunk-reader.js';

/** Appends the rows to `out`, and returns how many documents were left out. */
export function fillFromChunk(out: ChangeBatch, window: Window, chunk: Chunk): number {
  let dropped = 0;
  for (const document of chunk.documents) {
    const id = findId(document);
    const key = id === undefined ? undefined : recordKey(document, id.type, id.start);
    if (id === undefined || key === undefined || window.touched.has(key)) {
      dropped += 1;
      continue;
    }
    const row = out.addRead('read', window.namespace, key, chunk.position);
    out.idSource[row] = document;
    out.idType[row] = id.type;
    out.idStart[row] = id.start;
    out.idEnd[row] = id.end;
    out.document[row] = document;
  }
  return dropped;
}
