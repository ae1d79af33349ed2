// Cuts a batch of changes into slices that one Kafka transaction carries, bounded in records and bytes. The operations of one
// oplog entry stay together where they fit; a slice that ends among them carries the position before them (promise A).
import { type ChangeBatch, isLookedUp, type TrackedNamespace } from '../changes/change-batch.js';

/** kafkajs groups a send's records in time that grows with their square, which 2,000 keep small, as they do the memory that it takes. */
const SLICE_RECORDS = 2000;

/**
 * The row behind the slice that begins at `from`.
 *
 * @param sliceBytes - of keys and documents, but for one that is larger by itself
 * @param lookupsFor - how many documents of a namespace may be looked up at once
 * @param contentBytes - of a file's document: how many bytes its content will bring
 */
export function sliceEnd(
  batch: ChangeBatch,
  from: number,
  sliceBytes: number,
  lookupsFor: (namespace: TrackedNamespace) => number,
  contentBytes?: (document: Buffer) => number,
): number {
  let bytes = 0;
  let lookups = 0;
  let lookupLimit = Number.POSITIVE_INFINITY;
  let entry = from;
  for (let row = from; row < batch.length; row++) {
    if (row > from && !isSameEntry(batch, row - 1, row)) entry = row;
    const document = batch.document[row];
    bytes += (batch.key[row] as string).length + (document?.length ?? 0);
    if (contentBytes !== undefined && document !== undefined && batch.namespace[row]?.chunks !== undefined) bytes += contentBytes(document);
    // Before the entry that goes past the limits, unless it is past them all by itself.
    const isFull = row - from >= SLICE_RECORDS || bytes > sliceBytes || lookups >= lookupLimit;
    if (row > from && isFull) return entry > from ? entry : row;
    if (isLookedUp(batch, row)) {
      lookups += 1;
      lookupLimit = Math.min(lookupLimit, lookupsFor(batch.namespace[row] as TrackedNamespace));
    }
  }
  return batch.length;
}

/** Whether two neighbours are operations of one entry. Rows of a snapshot share a position but stand for themselves: their ordinal is 0 each. */
export function isSameEntry(batch: ChangeBatch, row: number, next: number): boolean {
  return batch.t[row] === batch.t[next] && batch.i[row] === batch.i[next] && batch.ordinal[next] !== 0;
}

/** The first row of the entry that the row belongs to. */
export function entryStart(batch: ChangeBatch, row: number): number {
  let start = row;
  while (start > 0 && isSameEntry(batch, start - 1, start)) start -= 1;
  return start;
}
