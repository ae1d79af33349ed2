import { describe, expect, it } from 'vitest';
import { vanishedNamespaces } from '#producer/backfill/sweep/vanished-namespaces.js';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { pendingSweep, type SnapshotProgress, type SweepRecord } from '#producer/checkpoint/checkpoint-record.js';

const namespace = (collection: string, included = true): TrackedNamespace => ({
  name: `shop.${collection}`,
  database: 'shop',
  collection,
  included,
});
const [there, gone, excluded] = [namespace('there'), namespace('gone'), namespace('excluded', false)];
const DONE: SnapshotProgress = { state: 'done', ranges: [], documents: 0, total: 0, startedAtMs: 0, finishedAtMs: 0 };
const checkpoint = (isShared: boolean, sweeps: [string, SweepRecord][] = [], snapshots: string[] = []) => ({
  isShared,
  sweeps: new Map(sweeps),
  snapshots: new Map(snapshots.map((name) => [name, DONE])),
});

describe('vanished', () => {
  it('is what has a topic and no collection', () => {
    expect(vanishedNamespaces([there, gone, excluded], [there], checkpoint(false))).toEqual([gone]);
  });

  it('is not what a sweep has emptied, or is about to', () => {
    expect(vanishedNamespaces([gone], [], checkpoint(false, [['shop.gone', pendingSweep('drop')]]))).toEqual([]);
    expect(vanishedNamespaces([gone], [], checkpoint(false, [['shop.gone', { ...pendingSweep('drop'), state: 'done' }]]))).toEqual([]);
  });

  it('is nothing that may be another source’s under the same prefix', () => {
    expect(vanishedNamespaces([gone], [], checkpoint(true))).toEqual([]);
    expect(vanishedNamespaces([gone], [], checkpoint(true, [], ['shop.gone']))).toEqual([gone]);
  });
});
