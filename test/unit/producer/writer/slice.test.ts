import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { sliceEnd } from '#producer/writer/slice.js';
import { addRow, ITEMS, ORDERS } from '../support/rows.js';

const MEGABYTE = 1024 * 1024;
const SLICE_BYTES = 6 * MEGABYTE;
const unlimited = () => Number.POSITIVE_INFINITY;

/** The rows at which the batch is cut. */
function cuts(
  batch: ChangeBatch,
  lookupsFor: Parameters<typeof sliceEnd>[3] = unlimited,
  contentBytes?: Parameters<typeof sliceEnd>[4],
): number[] {
  const ends: number[] = [];
  for (let from = 0; from < batch.length; ) {
    from = sliceEnd(batch, from, SLICE_BYTES, lookupsFor, contentBytes);
    ends.push(from);
  }
  return ends;
}

/** One entry of as many operations. */
function addEntry(batch: ChangeBatch, i: number, operations: number): void {
  for (let ordinal = 0; ordinal < operations; ordinal++) addRow(batch, { i, ordinal });
}

describe('sliceEnd', () => {
  it('takes all of a small batch', () => {
    const batch = new ChangeBatch();
    for (let n = 0; n < 100; n++) addRow(batch);
    expect(cuts(batch)).toEqual([100]);
  });

  it('bounds the records', () => {
    const batch = new ChangeBatch();
    for (let n = 0; n < 6000; n++) addRow(batch);
    expect(cuts(batch)).toEqual([2000, 4000, 6000]);
  });

  it('counts the contents that files will bring', () => {
    const batch = new ChangeBatch();
    const files = { ...ORDERS, chunks: 'fs.chunks' };
    for (let n = 0; n < 6; n++) addRow(batch, { namespace: n % 2 === 0 ? files : ORDERS });
    expect(cuts(batch, unlimited, () => 4 * MEGABYTE)).toEqual([2, 4, 6]);
  });

  it('bounds the bytes, and lets a document through that is larger', () => {
    const batch = new ChangeBatch();
    for (const size of [4, 3, 16, 1, 1]) addRow(batch, { document: Buffer.alloc(size * MEGABYTE) });
    expect(cuts(batch)).toEqual([1, 2, 3, 5]);
  });

  it('bounds the lookups by the namespace that allows the fewest', () => {
    const batch = new ChangeBatch();
    for (let n = 0; n < 12; n++) addRow(batch, { op: 'update', namespace: n === 7 ? ITEMS : ORDERS });
    expect(cuts(batch, ({ name }) => (name === ITEMS.name ? 2 : 5))).toEqual([5, 8, 12]);
    expect(cuts(batch, () => 1)).toEqual(Array.from({ length: 12 }, (_, row) => row + 1));
  });

  it('looks up nothing for what has its document, or needs none', () => {
    const batch = new ChangeBatch();
    addRow(batch, { op: 'update', document: { _id: 1 } });
    addRow(batch, { op: 'delete' });
    addRow(batch, { op: 'insert' });
    expect(cuts(batch, () => 1)).toEqual([3]);
  });

  it('keeps the operations of an entry together where they fit', () => {
    const batch = new ChangeBatch();
    addEntry(batch, 1, 10);
    addEntry(batch, 2, 1995);
    addEntry(batch, 3, 10);
    expect(cuts(batch)).toEqual([10, 2005, 2015]);
  });

  it('cuts through an entry that does not fit by itself', () => {
    const batch = new ChangeBatch();
    addEntry(batch, 1, 10);
    addEntry(batch, 2, 7000);
    addEntry(batch, 3, 10);
    expect(cuts(batch)).toEqual([10, 2010, 4010, 6010, 7020]);
  });

  it('does not take two transactions for one whose first operation was filtered', () => {
    const batch = new ChangeBatch();
    for (let n = 0; n < 2000; n++) addRow(batch, { i: 1, ordinal: n });
    for (let n = 1; n < 3; n++) addRow(batch, { i: 2, ordinal: n });
    expect(cuts(batch)).toEqual([2000, 2002]);
  });

  it('cuts a chunk of a snapshot, whose rows share a position', () => {
    const batch = new ChangeBatch();
    for (let n = 0; n < 4000; n++) addRow(batch, { op: 'read', i: 1, ordinal: 0 });
    expect(cuts(batch)).toEqual([2000, 4000]);
  });

  it('stays within its bounds, and cuts only entries that are larger', () => {
    const operations = fc.record({ count: fc.integer({ min: 1, max: 5 }), update: fc.boolean() });
    fc.assert(
      fc.property(fc.array(operations, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (entries, lookups) => {
        const batch = new ChangeBatch();
        const entryOf: number[] = [];
        for (const [index, { count, update }] of entries.entries()) {
          for (let ordinal = 0; ordinal < count; ordinal++) {
            entryOf.push(index);
            addRow(batch, { i: index + 1, ordinal, op: update ? 'update' : 'insert' });
          }
        }
        let from = 0;
        for (const end of cuts(batch, () => lookups)) {
          const updates = batch.op.slice(from, end).filter((op) => op === 'update').length;
          expect(updates).toBeLessThanOrEqual(lookups);
          if (entryOf[end - 1] === entryOf[end]) expect(new Set(entryOf.slice(from, end)).size).toBe(1);
          from = end;
        }
        expect(from).toBe(batch.length);
      }),
    );
  });
});
