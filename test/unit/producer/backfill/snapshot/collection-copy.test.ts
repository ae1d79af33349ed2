import { describe, expect, it } from 'vitest';
import { CollectionCopy } from '#producer/backfill/snapshot/collection-copy.js';
import type { SnapshotProgress, SnapshotRange } from '#producer/checkpoint/checkpoint-record.js';
import { ORDERS } from '#test/unit/producer/support/rows.js';

const RANGES: SnapshotRange[] = [
  { from: null, lastId: null, to: 'bQ==' },
  { from: 'bQ==', lastId: 'cA==', to: null },
];
const PROGRESS: SnapshotProgress = { state: 'running', ranges: RANGES, documents: 5, total: 9, startedAtMs: 1, finishedAtMs: null };

describe('CollectionCopy', () => {
  it('gives each range to one worker', () => {
    const copy = new CollectionCopy(ORDERS, PROGRESS);
    expect([copy.take(), copy.take(), copy.take()]).toEqual([0, 1, undefined]);
    expect(copy.range(1)).toEqual(RANGES[1]);
  });

  it('describes what is left of every range, whoever moves', () => {
    const copy = new CollectionCopy(ORDERS, PROGRESS);
    expect(copy.moved(1, Buffer.from('q'), 2)).toMatchObject({ documents: 7, ranges: [RANGES[0], { ...RANGES[1], lastId: 'cQ==' }] });
    expect(copy.moved(0, Buffer.from('a'), 1)).toMatchObject({
      documents: 8,
      ranges: [
        { ...RANGES[0], lastId: 'YQ==' },
        { ...RANGES[1], lastId: 'cQ==' },
      ],
    });
    expect(copy.finished(0, 1)).toMatchObject({ state: 'running', documents: 9, ranges: [{ lastId: 'cQ==' }] });
    expect(copy.finished(1, 0)).toMatchObject({ state: 'done', documents: 9, ranges: [] });
    expect(copy.progress.finishedAtMs).toBeGreaterThan(0);
  });

  it('has no more work when it is void', () => {
    const copy = new CollectionCopy(ORDERS, PROGRESS);
    copy.isVoid = true;
    expect(copy.take()).toBeUndefined();
  });
});
