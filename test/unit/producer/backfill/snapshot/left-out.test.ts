import { describe, expect, it } from 'vitest';
import { leftOut } from '#producer/backfill/snapshot/left-out.js';
import { unstartedCopy } from '#producer/backfill/snapshot/snapshot-plan.js';
import {
  CheckpointReader,
  pendingSweep,
  type SnapshotProgress,
  snapshotMessage,
  sweepMessage,
  topicMessage,
} from '#producer/checkpoint/checkpoint-record.js';

const DONE: SnapshotProgress = { ...unstartedCopy(true), state: 'done', ranges: [], documents: 7, finishedAtMs: 2 };

describe('leftOut', () => {
  it('forgets what was copied of namespaces that are not included any more, once', () => {
    const reader = new CheckpointReader('rs0');
    const noted = [
      snapshotMessage('rs0', 'shop.kept', DONE),
      snapshotMessage('rs0', 'shop.copied', DONE),
      snapshotMessage('rs0', 'shop.half', { ...unstartedCopy(false), ranges: [{ from: null, lastId: 'aWQ=', to: null }] }),
      topicMessage('rs0', 'shop.tailed', { partitions: 1, id: undefined }),
      sweepMessage('rs0', 'shop.copied', { ...pendingSweep('drop'), state: 'done' }),
    ];
    const take = (messages: typeof noted): void => {
      for (const { key, value } of messages) reader.add(String(key), value);
    };
    take(noted);
    const isIncluded = (name: string): boolean => name === 'shop.kept';
    take(leftOut(reader.result(), isIncluded, 'rs0'));
    const { snapshots, sweeps } = reader.result();
    expect([...snapshots].map(([name, { state, ranges, isAsked }]) => [name, state, ranges, isAsked])).toEqual([
      ['shop.kept', 'done', [], true],
      ['shop.copied', 'running', null, true],
      ['shop.half', 'running', null, false],
    ]);
    expect([...sweeps].map(([name, { state, reason }]) => [name, state, reason])).toEqual([
      ['shop.copied', 'pending', 'left-out'],
      ['shop.half', 'pending', 'left-out'],
      ['shop.tailed', 'pending', 'left-out'],
    ]);
    expect(leftOut(reader.result(), isIncluded, 'rs0')).toEqual([]);
  });
});
