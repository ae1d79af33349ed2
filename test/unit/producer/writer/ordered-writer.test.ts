// What goes into a transaction beside the records: positions, what commands mean for snapshots, progress. Orders of events
// that no clock produces are in test/property/producer.
import { compileNamespaceRules, createLogger, createMetrics } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { type BSON, Long, Timestamp } from 'bson';
import type { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackfillWriter } from '#producer/backfill/backfill-writer.js';
import type { ReadRows } from '#producer/backfill/read-rows.js';
import type { CollectionCommand, TrackedNamespace } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { type CheckpointMessage, type SnapshotProgress, snapshotMessage } from '#producer/checkpoint/checkpoint-record.js';
import { RecordEncoder } from '#producer/encode/record-encoder.js';
import { DocumentLookup } from '#producer/enrich/document-lookup.js';
import { ProducerMetrics } from '#producer/metrics/producer-metrics.js';
import { Publisher } from '#producer/publish/publisher.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { Normalizer } from '#producer/source/oplog/normalizer.js';
import { TailWriter } from '#producer/tail/tail-writer.js';
import { OrderedWriter } from '#producer/writer/ordered-writer.js';
import { TailProgress } from '#producer/writer/tail-progress.js';
import type { Window } from '#producer/writer/touched-keys.js';
import { TouchedKeys } from '#producer/writer/touched-keys.js';
import { CHECKPOINTS, CommittedLog } from '#test/property/producer/support/committed-log.js';
import { Chains } from '../support/chains.js';
import { entry, raw, T } from '../support/entries.js';

const START = new Position(T, 0);
const never = new AbortController().signal;
const PROGRESS: SnapshotProgress = { state: 'running', ranges: null, documents: 1, total: 1, startedAtMs: 0, finishedAtMs: null };
const note = (progress: SnapshotProgress) => [snapshotMessage('rs0', 'shop.orders', progress)];

function build() {
  const log = new CommittedLog([]);
  const publisher = new Publisher(log.connect(async () => {}));
  const counters = new NormalizeCounters();
  const namespaces = new NamespaceTable(compileNamespaceRules({ include: ['shop.*'] }));
  const [touched, progress] = [new TouchedKeys(), new TailProgress(START)];
  const metrics = new ProducerMetrics(createMetrics(), counters);
  const chains = new Chains();
  const commands: CollectionCommand[] = [];
  const ensured: string[] = [];
  const topics = {
    ensure: async (wanted: readonly TrackedNamespace[]) => void ensured.push(...wanted.map(({ name }) => name)),
    takeUnrecorded: () => [],
    existing: async () => undefined,
    layoutOf: ({ name }: TrackedNamespace) => ({ topic: `tw.${name}`, partitions: 2 }),
  };
  const writer = new OrderedWriter({
    // Asked for nothing: no entry here is an update.
    lookup: new DocumentLookup(undefined as unknown as MongoClient),
    encoder: new RecordEncoder(),
    quarantine: { letters: () => Promise.reject(new Error('Nothing is refused here')) },
    topics,
    publisher,
    progress,
    metrics,
    source: 'rs0',
    checkpointTopic: CHECKPOINTS,
  });
  const backfill = new BackfillWriter({ writer, touched, progress, metrics, health: { persist: (read) => read() } });
  const tailWriter = new TailWriter({
    writer,
    normalizer: new Normalizer(chains, namespaces, counters, createLogger({ name: 'test', level: 'silent' })),
    touched,
    progress,
    topics,
    metrics,
    source: 'rs0',
    onCommand: (command) => {
      commands.push(command);
      return [snapshotMessage('rs0', command.namespace.name, null)];
    },
  });
  const publish = async (window: Window, rows: ReadRows, checkpoint: () => CheckpointMessage[]): Promise<boolean> =>
    (await backfill.publish([{ window, rows, checkpoint }], 'snapshot', never)).size > 0;
  const tail = (...entries: Buffer[]): Promise<void> =>
    tailWriter.write({ entries, end: endOf(chains.add(entries) && entries), isWhole: true });
  let end = START;
  const endOf = (entries: readonly Buffer[]): Position => {
    if (entries.length > 0) end = new Position(end.t, end.i + entries.length);
    return end;
  };
  /** What each transaction held: keys of records, and checkpoint records as `key = value`. */
  const transactions = async () => {
    await publisher.flush();
    return log.publications.map(({ records, checkpoint }) => [
      records.map(({ key }) => key).join(' '),
      checkpoint.map(({ key, value }) => `${key} = ${briefly(value)}`).join(', '),
    ]);
  };
  return { writer, publish, tail, transactions, commands, ensured, progress, touched, namespaces, metrics };
}

function briefly(value: Buffer | null): string {
  if (value === null) return 'forgotten';
  const { position, state, documents, reason } = JSON.parse(value.toString()) as Record<string, string | number | undefined>;
  return String(position ?? `${state} ${documents ?? reason}`);
}

const insert = (i: number, id: unknown, ns = 'shop.orders'): Buffer => entry({ i, ns, o: { _id: id } });
const command = (i: number, o: BSON.Document): Buffer => entry({ op: 'c', ns: 'shop.$cmd', o, i });

describe('OrderedWriter with a tail and a backfill', () => {
  let now = 0;
  beforeEach(() => {
    now = 1_000_000;
    vi.spyOn(Date, 'now').mockImplementation(() => now);
  });
  afterEach(() => vi.restoreAllMocks());

  it('sends the records of a read with the position behind it', async () => {
    const { tail, transactions, progress, ensured } = build();
    await tail(insert(1, 'a'), insert(2, 'b', 'other.x'), insert(3, 'c', 'shop.items'), entry({ op: 'n', ns: '', i: 4 }));
    expect(await transactions()).toEqual([['"a" "c"', `rs0/position = ${T}:4`]]);
    expect(progress.end.toString()).toBe(`${T}:4`);
    expect(ensured).toEqual(['shop.orders', 'shop.items']);
  });

  it('publishes the position again when nothing was for a while, and only then', async () => {
    const { writer, tail, transactions } = build();
    await tail(insert(1, 'a'));
    now += 2999;
    await writer.confirmLead(3000);
    expect((await transactions()).length).toBe(1);
    now += 1;
    await writer.confirmLead(3000);
    expect(await transactions()).toEqual([
      ['"a"', `rs0/position = ${T}:1`],
      ['', `rs0/position = ${T}:1`],
    ]);
    await writer.confirmLead(3000);
    expect((await transactions()).length).toBe(2);
  });

  it('cuts a long read, each part with the position behind its own records', async () => {
    const { tail, transactions } = build();
    await tail(...Array.from({ length: 2001 }, (_, n) => insert(n + 1, n)), entry({ op: 'n', ns: '', i: 2002 }));
    expect((await transactions()).map(([, checkpoint]) => checkpoint)).toEqual([`rs0/position = ${T}:2000`, `rs0/position = ${T}:2002`]);
  });

  it('puts no checkpoint inside a transaction, however many parts it is sent in', async () => {
    const { tail, transactions, progress } = build();
    const operations = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => ({ op: 'i', ns: 'shop.orders', o: { _id: from + n } }));
    const part = (i: number, previous: number, o: BSON.Document): Buffer => {
      const ts = previous === 0 ? new Timestamp(0n) : new Timestamp({ t: T, i: previous });
      return entry({ op: 'c', ns: 'admin.$cmd', o, i, more: { prevOpTime: { ts, t: Long.fromNumber(1) } } });
    };
    const create = { op: 'c', ns: 'shop.$cmd', o: { create: 'orders' } };
    await tail(
      insert(1, 'before'),
      part(2, 0, { applyOps: [create, ...operations(0, 1500)], partialTxn: true }),
      part(3, 2, { applyOps: operations(1500, 1500), partialTxn: true }),
      part(4, 3, { applyOps: operations(3000, 1), count: Long.fromNumber(3002) }),
      insert(5, 'behind'),
    );
    const sent = await transactions();
    expect(sent.map(([records]) => records?.split(' ').length)).toEqual([1, 2000, 1000, 2]);
    expect(sent.map(([, checkpoint]) => checkpoint)).toEqual([
      `rs0/position = ${T}:1`,
      '',
      '',
      `rs0/snapshot/shop.orders = forgotten, rs0/position = ${T}:5`,
    ]);
    expect(progress.end.toString()).toBe(`${T}:5`);
  });

  it('moves the checkpoint of an idle source once a second', async () => {
    const { tail, transactions } = build();
    await tail(entry({ op: 'n', ns: '', i: 1 }));
    now += 999;
    await tail(entry({ op: 'n', ns: '', i: 2 }));
    now += 1;
    await tail(entry({ op: 'n', ns: '', i: 3 }));
    now += 5000;
    await tail();
    await tail();
    expect((await transactions()).map(([, checkpoint]) => checkpoint)).toEqual([`rs0/position = ${T}:1`, `rs0/position = ${T}:3`]);
  });

  it('sends what follows commands in the transaction that passes them', async () => {
    const { tail, transactions, commands } = build();
    await tail(insert(1, 'a'), command(2, { create: 'items' }), insert(3, 'b'), command(4, { drop: 'orders' }));
    await tail(command(5, { renameCollection: 'shop.items', to: 'shop.archive' }));
    expect(await transactions()).toEqual([
      ['"a" "b"', `rs0/snapshot/shop.items = forgotten, rs0/snapshot/shop.orders = forgotten, rs0/position = ${T}:4`],
      ['', `rs0/snapshot/shop.items = forgotten, rs0/position = ${T}:5`],
    ]);
    expect(commands.map(({ kind }) => kind)).toEqual(['create', 'drop', 'rename']);
  });

  it('does not note a command before the records that come first', async () => {
    const { tail, transactions } = build();
    const inserts = Array.from({ length: 2000 }, (_, n) => insert(n + 1, n));
    await tail(...inserts, command(2001, { drop: 'orders' }), insert(2002, 'last'));
    expect((await transactions()).map(([, checkpoint]) => checkpoint)).toEqual([
      `rs0/position = ${T}:2000`,
      `rs0/snapshot/shop.orders = forgotten, rs0/position = ${T}:2002`,
    ]);
  });

  it('sends a chunk behind its position, without what the tail has touched, and with its progress', async () => {
    const { publish, tail, transactions, touched, namespaces, metrics } = build();
    const window = touched.open(namespaces.byName('shop.orders'));
    const documents = [1, 2, 3].map((_id) => raw({ _id }));
    const chunk = { documents, position: new Position(T, 2), lastId: Buffer.from('3') };
    const publishing = publish(window, chunk, () => note({ ...PROGRESS, documents: 3 }));
    await tail(insert(1, 'other'));
    await tail(entry({ op: 'd', o: { _id: 2 }, i: 2 }));
    await publishing;
    await tail(insert(3, 3));
    expect(await transactions()).toEqual([
      ['"other"', `rs0/position = ${T}:1`],
      ['2', `rs0/position = ${T}:2`],
      ['1 3', 'rs0/snapshot/shop.orders = running 3'],
      ['3', `rs0/position = ${T}:3`],
    ]);
    expect(metrics.counts()).toMatchObject({ snapshotRead: 3, snapshotPublished: 2, snapshotSuperseded: 1, eventsPublished: 3 });
  });

  it('checkpoint the progress of a chunk of which nothing is left, and of a snapshot that is done', async () => {
    const { publish, transactions, touched, namespaces } = build();
    const namespace = namespaces.byName('shop.orders');
    const chunk = { documents: [], position: START, lastId: Buffer.from('3') };
    await publish(touched.open(namespace), chunk, () => note(PROGRESS));
    const end = { ...chunk, lastId: undefined };
    await publish(touched.open(namespace), end, () => note({ ...PROGRESS, state: 'done' }));
    expect((await transactions()).map(([, checkpoint]) => checkpoint)).toEqual([
      'rs0/snapshot/shop.orders = running 1',
      'rs0/snapshot/shop.orders = done 1',
    ]);
  });

  it('checkpoint with a chunk how far the tail has come, once a while, instead of in a transaction of its own', async () => {
    const { publish, tail, transactions, touched, namespaces } = build();
    const noop = (i: number): Promise<void> => tail(entry({ op: 'n', ns: '', i }));
    const chunk = { documents: [], position: START, lastId: Buffer.from('3') };
    const publishChunk = () => publish(touched.open(namespaces.byName('shop.orders')), chunk, () => note(PROGRESS));
    await tail(insert(1, 'a'));
    for (const i of [2, 3, 4, 5]) {
      now += 400;
      await noop(i);
      await publishChunk();
    }
    expect((await transactions()).map(([, checkpoint]) => checkpoint)).toEqual([
      `rs0/position = ${T}:1`,
      'rs0/snapshot/shop.orders = running 1',
      `rs0/snapshot/shop.orders = running 1, rs0/position = ${T}:3`,
      'rs0/snapshot/shop.orders = running 1',
      `rs0/snapshot/shop.orders = running 1, rs0/position = ${T}:5`,
    ]);
  });

  it('publishes nothing of a collection that was replaced before', async () => {
    const { publish, transactions, touched, namespaces } = build();
    const namespace = namespaces.byName('shop.orders');
    const window = touched.open(namespace);
    touched.invalidate(namespace);
    const chunk = { documents: [raw({ _id: 1 })], position: START, lastId: Buffer.from('1') };
    expect(await publish(window, chunk, () => note(PROGRESS))).toBe(false);
    expect(await transactions()).toEqual([]);
  });

  it('ends with the position that it has come to, once', async () => {
    const { writer, tail, transactions } = build();
    await writer.finish();
    await tail(insert(1, 'a'));
    await tail(entry({ op: 'n', ns: '', i: 2 }));
    await writer.finish();
    await writer.finish();
    expect((await transactions()).map(([, checkpoint]) => checkpoint)).toEqual([
      `rs0/position = ${T}:0`,
      `rs0/position = ${T}:1`,
      `rs0/position = ${T}:2`,
    ]);
  });
});
