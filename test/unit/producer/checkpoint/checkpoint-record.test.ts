import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import {
  type CheckpointMessage,
  CheckpointReader,
  clusterMessage,
  gapMessage,
  pausedMessage,
  pendingSweep,
  positionMessage,
  type SnapshotProgress,
  sessionMessage,
  shardsMessage,
  signalsMessage,
  snapshotMessage,
  sweepMessage,
  topicMessage,
} from '#producer/checkpoint/checkpoint-record.js';
import { T } from '../support/entries.js';

const PROGRESS: SnapshotProgress = {
  state: 'running',
  ranges: [
    { from: null, lastId: 'aWQ=', to: 'aWU=' },
    { from: 'aWU=', lastId: null, to: null },
  ],
  documents: 12,
  total: 100,
  startedAtMs: 1,
  finishedAtMs: null,
};

function read(messages: readonly CheckpointMessage[], source = 'rs0') {
  const reader = new CheckpointReader(source);
  for (const { key, value } of messages) reader.add(key.toString(), value);
  return reader.result();
}

describe('checkpoint records', () => {
  it('come back as they were', () => {
    const checkpoint = read([
      positionMessage('rs0', new Position(T, 1), 10),
      snapshotMessage('rs0', 'shop.orders', PROGRESS),
      snapshotMessage('rs0', 'shop/odd.näme', { ...PROGRESS, state: 'done', ranges: [], finishedAtMs: 5 }),
    ]);
    expect(checkpoint.position).toEqual(new Position(T, 1));
    expect(checkpoint.writtenAtMs).toBe(10);
    expect([...checkpoint.snapshots.keys()]).toEqual(['shop.orders', 'shop/odd.näme']);
    expect(checkpoint.snapshots.get('shop.orders')).toMatchObject(PROGRESS);
    expect(checkpoint.snapshots.get('shop/odd.näme')).toMatchObject({ state: 'done', ranges: [], finishedAtMs: 5 });
  });

  it('bring back which cluster they were read from', () => {
    expect(read([clusterMessage('rs0', 'abc'), clusterMessage('rs1', 'def')]).cluster).toBe('abc');
    expect(read([]).cluster).toBeUndefined();
  });

  it('bring back sweeps and the gap, and tell whether another source is there', () => {
    const gap = { from: `${T}:1`, oldest: `${T}:5`, to: `${T}:9`, detectedAtMs: 3, healedAtMs: null };
    const messages = [sweepMessage('rs0', 'shop.orders', pendingSweep('drop')), gapMessage('rs0', gap)];
    const checkpoint = read(messages);
    expect([...checkpoint.sweeps].map(([name, { state, reason }]) => [name, state, reason])).toEqual([['shop.orders', 'pending', 'drop']]);
    expect(checkpoint.gap).toMatchObject(gap);
    expect(checkpoint.isShared).toBe(false);
    const other = read([...messages, positionMessage('rs1', new Position(T, 1), 0)]);
    expect([other.isShared, other.position]).toEqual([true, undefined]);
  });

  it('are all in the one partition, under keys that compaction keeps apart', () => {
    const messages = [
      positionMessage('rs0', new Position(T, 1), 0),
      snapshotMessage('rs0', 'shop.orders', PROGRESS),
      sessionMessage('rs0', 'one'),
      positionMessage('rs1', new Position(T, 1), 0),
    ];
    expect(messages.map(({ partition }) => partition)).toEqual([0, 0, 0, 0]);
    expect(new Set(messages.map(({ key }) => key.toString())).size).toBe(4);
  });

  it('the last of a key counts', () => {
    const checkpoint = read([
      positionMessage('rs0', new Position(T, 1), 1),
      snapshotMessage('rs0', 'shop.orders', PROGRESS),
      positionMessage('rs0', new Position(T + 1, 2), 2),
      snapshotMessage('rs0', 'shop.orders', { ...PROGRESS, documents: 99 }),
    ]);
    expect([checkpoint.position?.toString(), checkpoint.writtenAtMs]).toEqual([`${T + 1}:2`, 2]);
    expect(checkpoint.snapshots.get('shop.orders')?.documents).toBe(99);
  });

  it('name the topic of a namespace, and of an earlier release its partitions alone', () => {
    const old = { key: Buffer.from('rs0/partitions/shop.old'), value: Buffer.from('{"version":1,"partitions":3}'), partition: 0 as const };
    const checkpoint = read([
      topicMessage('rs0', 'shop.orders', { partitions: 4, id: 'a1' }),
      topicMessage('rs0', 'shop.items', { partitions: 2, id: undefined }),
      old,
    ]);
    expect([...checkpoint.topics]).toEqual([
      ['shop.orders', { partitions: 4, id: 'a1' }],
      ['shop.items', { partitions: 2, id: undefined }],
      ['shop.old', { partitions: 3, id: undefined }],
    ]);
  });

  it('of the first version are one range, from where it had come to', () => {
    const reader = new CheckpointReader('rs0');
    const add = (name: string, fields: object) =>
      reader.add(`rs0/snapshot/shop.${name}`, Buffer.from(JSON.stringify({ version: 1, documents: 3, ...fields })));
    add('begun', { state: 'running', lastId: null });
    add('running', { state: 'running', lastId: 'aWQ=' });
    add('done', { state: 'done', lastId: 'aWQ=' });
    const ranges = [...reader.result().snapshots.values()].map((progress) => progress.ranges);
    expect(ranges).toEqual([[{ from: null, lastId: null, to: null }], [{ from: null, lastId: 'aWQ=', to: null }], []]);
    expect(() => reader.add('rs0/snapshot/shop.x', Buffer.from('{"version":3}'))).toThrow('version');
  });

  it('say what was asked for last, and what is paused', () => {
    expect(read([])).toMatchObject({ signals: 0n, paused: { snapshots: false, tail: false } });
    const paused = { snapshots: true, tail: false };
    const checkpoint = read([signalsMessage('rs0', 2n ** 60n, 'id'), pausedMessage('rs0', paused)]);
    expect(checkpoint).toMatchObject({ signals: 2n ** 60n, signalsTopic: 'id', paused });
  });

  it('know the topic of the signals by its id, where they say it: those of earlier releases, and of brokers that do not tell, say none', () => {
    const reader = new CheckpointReader('rs0');
    reader.add('rs0/signals', Buffer.from('{"version":1,"offset":"7","topicId":"first"}'));
    reader.add('rs0/signals', Buffer.from('{"version":1,"offset":"3"}'));
    expect(reader.result()).toMatchObject({ signals: 3n, signalsTopic: undefined });
    expect(String(signalsMessage('rs0', 3n, undefined).value)).toBe('{"version":1,"offset":"3"}');
  });

  it('name the shards that the position counts on', () => {
    const shards = [{ name: 'a', host: 'a/a:27018' }];
    expect(read([])).toMatchObject({ shards: [] });
    expect(read([shardsMessage('rs0', shards)])).toMatchObject({ shards });
    expect(read([shardsMessage('rs0', shards), shardsMessage('rs0', [])])).toMatchObject({ shards: [] });
  });

  it('forget a snapshot', () => {
    const forgotten = snapshotMessage('rs0', 'shop.orders', null);
    expect(forgotten.value).toBeNull();
    expect(read([snapshotMessage('rs0', 'shop.orders', PROGRESS), forgotten]).snapshots.size).toBe(0);
  });

  it('of other sources are passed over, also of one whose name begins alike', () => {
    const checkpoint = read([
      positionMessage('rs', new Position(T, 1), 0),
      positionMessage('rs01', new Position(T, 2), 0),
      snapshotMessage('rs01', 'shop.orders', PROGRESS),
    ]);
    expect(checkpoint).toMatchObject({ position: undefined, writtenAtMs: 0 });
    expect(checkpoint.snapshots.size).toBe(0);
  });

  it('keep positions beyond 31 bits', () => {
    const position = new Position(0xffff_ffff, 0xffff_fffe);
    expect(read([positionMessage('rs0', position, 0)]).position).toEqual(position);
  });

  it('of a later format, or of somebody else, are refused: a start from nowhere would hide a gap', () => {
    const reader = new CheckpointReader('rs0');
    const add = (value: string) => () => reader.add('rs0/position', Buffer.from(value));
    expect(add('{"version":2,"position":"1:1","writtenAtMs":1}')).toThrow('version');
    expect(add('{"version":1,"position":"soon","writtenAtMs":1}')).toThrow('position');
    expect(add('{"version":1}')).toThrow('position');
    expect(add('nothing')).toThrow();
    expect(add('7')).toThrow();
    expect(reader.add('rs1/position', Buffer.from('nothing'))).toBe(false);
  });
});

describe('CheckpointReader', () => {
  it('says when it has come to its own announcement', () => {
    const reader = new CheckpointReader('rs0', 'mine');
    const add = ({ key, value }: CheckpointMessage) => reader.add(key.toString(), value);
    expect(add(sessionMessage('rs0', 'earlier'))).toBe(false);
    expect(add(sessionMessage('rs1', 'mine'))).toBe(false);
    expect(add(positionMessage('rs0', new Position(T, 1), 0))).toBe(false);
    expect(add(sessionMessage('rs0', 'mine'))).toBe(true);
  });

  it('without a session of its own is never at the end', () => {
    const { key, value } = sessionMessage('rs0', 'any');
    expect(new CheckpointReader('rs0').add(key.toString(), value)).toBe(false);
  });
});
