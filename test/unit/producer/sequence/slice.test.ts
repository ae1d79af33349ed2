import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeBatch } from '../../../../packages/producer/src/normalize/change-batch.js';
import { sliceEnd } from '../../../../packages/producer/src/sequence/slice.js';
import { addRow, ITEMS, ORDERS } from '../support/rows.js';

const MEGABYTE = 1024 * 1024;
const unlimited = () => Number.POSITIVE_INFINITY;

/** The rows at which the batch is cut. */
function cuts(batch: ChangeBatch, lookupsFor: Parameters<typeof sliceEnd>[2] = unlimited): number[] {
  const ends: number[] = [];
  for (let from = 0; from < batch.length; ) {
    from = sliceEnd(batch, from, lookupsFor);
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

  it('bounds the bytes, and lets a document through that is larger', () => {
    const batch = new ChangeBatch();
    for (const size of [4, 3, 16, 1, 1]) addRow(batch, { document: Buffer.alloc(size * MEGABYTE) });
    expect(cuts(batch)).toEqual([2, 3, 5]);
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

  it('never cuts a transaction, however large', () => {
    const batch = new ChangeBatch();
    addEntry(batch, 1, 10);
    addEntry(batch, 2, 7000);
    addEntry(batch, 3, 10);
    expect(cuts(batch)).toEqual([7010, 7020]);
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

  it('cuts only between entries, whatever they are', () => {
    const operations = fc.record({ count: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(4), update: fc.boolean() });
    const megabytes = Array.from({ length: 5 }, (_, size) => Buffer.alloc(size * MEGABYTE));
    fc.assert(
      fc.property(fc.array(operations, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (entries, lookups) => {
        const batch = new ChangeBatch();
        const starts = new Set<number>();
        for (const [index, { count, bytes, update }] of entries.entries()) {
          starts.add(batch.length);
          for (let ordinal = 0; ordinal < count; ordinal++) {
            const document = update ? undefined : megabytes[bytes];
            addRow(batch, { i: index + 1, ordinal, op: update ? 'update' : 'insert', document });
          }
        }
        const ends = cuts(batch, () => lookups);
        expect(ends.at(-1)).toBe(batch.length);
        for (const end of ends.slice(0, -1)) expect(starts).toContain(end);
      }),
    );
  });
});
