// What `producer start` is told about copies: which, from where, how fast, in how many ranges. The topic folds to the
// collection, or to the part of it that was asked for.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  compareByKey,
  type Differences,
  type Kafka,
  LiveMix,
  type Mongo,
  mixedFields,
  mixedId,
  Random,
  readRawDocuments,
  startStack,
  waitFor,
} from '@tailwater/devstack';
import { Position } from '@tailwater/schema';
import { BSON, type Collection, type Document, type MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newestMajorityPosition, readOplogWindow } from '#producer/source/oplog/oplog-window.js';
import { parseStartAt, type StartAt } from '#producer/source/oplog/start-at.js';
import { everyId } from './support/every-id.js';
import { type FoldedTopic, foldTopic } from './support/folded-topic.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let client: MongoClient;
let tests = 0;
const pipelines: RunningPipeline[] = [];

beforeAll(async () => {
  const stack = await startStack({ mongo: { oplogSizeMb: 200 }, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
});

beforeEach(async () => {
  tests += 1;
  await client.db('shop').dropDatabase();
});

afterEach(async () => {
  await Promise.all(pipelines.splice(0).map((pipeline) => pipeline.stop()));
});

afterAll(() => stop?.());

const prefix = (): string => `s${tests}`;
const collection = (name: string): Collection => client.db('shop').collection(name);

async function start(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  const pipeline = await RunningPipeline.start(mongo, kafka, { prefix: prefix(), include: ['shop.*'], ...options });
  pipelines.push(pipeline);
  return pipeline;
}

const fold = (name: string): Promise<FoldedTopic> => foldTopic(kafka.brokers, `${prefix()}.shop.${name}`);

async function compare(name: string, folded: FoldedTopic): Promise<Differences> {
  return compareByKey(await readRawDocuments(client, 'shop', name), folded.documents, (stored, published) => stored.equals(published));
}

async function expectEqual(name: string): Promise<FoldedTopic> {
  const folded = await fold(name);
  const differences = await compare(name, folded);
  expect(differences).toEqual({ compared: differences.compared, missing: [], extra: [], different: [] });
  return folded;
}

const numbered = (count: number, from = 0): Document[] => Array.from({ length: count }, (_, n) => ({ _id: from + n, n: from + n }));
const insert = (name: string, count: number, from = 0): Promise<unknown> => collection(name).insertMany(numbered(count, from) as never[]);
const copiesOf = ({ events }: FoldedTopic): string[] => events.filter(({ origin }) => origin === 'snapshot').map(({ key }) => key);

async function untilPosition(pipeline: RunningPipeline): Promise<void> {
  const newest = await newestMajorityPosition(client);
  await waitFor(() => (pipeline.state.session?.position?.compare(newest) ?? -1) >= 0, { describe: 'the tail to be in step' });
}

describe('ranges', () => {
  it('copies ids of every type in several ranges under writes, and goes on inside each after a stop', async () => {
    const random = new Random(4);
    const documents = [
      ...everyId().map((_id) => ({ _id, ...mixedFields(random, 200) })),
      ...Array.from({ length: 1500 }, (_, n) => ({ _id: mixedId(random, 1000 + n), ...mixedFields(random, 200) })),
    ];
    await collection('orders').insertMany(documents as Document[], { forceServerObjectId: true });
    await insert('items', 300);
    const mix = new LiveMix([collection('orders')], random, 1_000_000, { documentBytes: 200 });
    await mix.adopt(500);
    const options = { chunkDocuments: 20, snapshotParallel: 4 };
    let pipeline = await start(options);
    const ranges: number[] = [];
    for (let stops = 1; stops <= 3; stops++) {
      await mix.step(50);
      await waitFor(() => pipeline.report.totals().documents >= stops * 250, { describe: 'some progress' });
      await pipeline.stop();
      ranges.push(pipeline.report.collections().find(({ namespace }) => namespace === 'shop.orders')?.ranges ?? 0);
      pipeline = await start(options);
    }
    await mix.step(50);
    await pipeline.untilInStep();
    await pipeline.stop();
    const orders = await expectEqual('orders');
    await expectEqual('items');
    expect(Math.max(...ranges)).toBeGreaterThan(3);
    const copied = copiesOf(orders);
    expect(new Set(copied).size).toBe(copied.length);
  });
});

describe('--snapshot', () => {
  it('initial copies what has no copy yet, always all again, never nothing', async () => {
    await insert('orders', 40);
    const run = async (options: Partial<RunningOptions>): Promise<void> => {
      const pipeline = await start(options);
      await waitFor(() => pipeline.state.phase === 'running', { describe: 'the pipeline to run' });
      if (options.snapshot === 'never') await untilPosition(pipeline);
      else await pipeline.untilInStep();
      await pipeline.stop();
    };
    await run({ snapshot: 'never' });
    await insert('orders', 1, 100);
    await run({ snapshot: 'never' });
    expect((await fold('orders')).records.map(({ key }) => String(key))).toEqual(['100']);
    await run({ snapshot: 'initial' });
    await run({ snapshot: 'initial' });
    expect(copiesOf(await expectEqual('orders')).length).toBe(41);
    await run({ snapshot: 'always' });
    const folded = await expectEqual('orders');
    expect(copiesOf(folded).length).toBe(82);
    expect(new Set(copiesOf(folded)).size).toBe(41);
  });

  it('when-needed copies at the first start, goes on with that, and copies no collection that a later start finds', async () => {
    await insert('orders', 600);
    const first = await start({ snapshot: 'when-needed', chunkDocuments: 10, snapshotRate: 100 });
    await waitFor(() => first.counts.snapshotPublished > 0, { describe: 'the copy to begin' });
    await first.stop();
    await insert('items', 5);
    const again = await start({ snapshot: 'when-needed' });
    await insert('items', 1, 100);
    await again.untilInStep();
    await again.stop();
    expect(copiesOf(await expectEqual('orders')).length).toBe(600);
    // Included all the time, so the tail has all of it.
    expect(copiesOf(await expectEqual('items'))).toEqual([]);
    // Of one that is included only now, it has the changes alone.
    await client
      .db('late')
      .collection('items')
      .insertOne({ _id: 1 as never });
    const later = await start({ snapshot: 'when-needed', include: ['shop.*', 'late.*'] });
    await waitFor(() => later.state.phase === 'running', { describe: 'the pipeline to run' });
    await client
      .db('late')
      .collection('items')
      .insertOne({ _id: 2 as never });
    await untilPosition(later);
    await later.stop();
    await client.db('late').dropDatabase();
    const keys = (await foldTopic(kafka.brokers, `${prefix()}.late.items`)).records.map(({ key }) => String(key));
    expect(keys).toContain('2');
    expect(later.report.collections().map(({ namespace }) => namespace)).not.toContain('late.items');
  });

  it('ends by itself when everything is copied and it is told to do no more', async () => {
    await insert('orders', 300);
    await insert('items', 10);
    const once = await start({ snapshotOnly: true, chunkDocuments: 20 });
    await once.ended;
    expect(once.failure).toBeUndefined();
    await expectEqual('orders');
    await expectEqual('items');
    // And a later start follows from there.
    await insert('orders', 1, 1000);
    const following = await start();
    await following.untilInStep();
    await following.stop();
    const folded = await expectEqual('orders');
    expect(folded.events.find(({ key }) => key === '1000')).toMatchObject({ origin: 'tail' });
    expect(copiesOf(folded).length).toBe(300);
  });
});

describe('--start-at', () => {
  it('begins a tail at a position, at a date, and at the oldest entry', async () => {
    await insert('history', 3);
    const middle = await newestMajorityPosition(client);
    await insert('history', 3, 10);
    const tailed = async (startAt: StartAt): Promise<string[]> => {
      const pipeline = await start({ snapshot: 'never', startAt });
      await waitFor(() => pipeline.state.phase === 'running', { describe: 'the pipeline to run' });
      await untilPosition(pipeline);
      await pipeline.stop();
      const keys = (await fold('history')).records.map(({ key }) => String(key));
      tests += 1; // Each is a first start.
      return keys.sort();
    };
    // `insertMany` of one batch is one write of several entries: the last of the first three is at the position itself.
    expect(await tailed(middle)).toEqual(['10', '11', '12', '2']);
    expect(await tailed('earliest')).toEqual(['0', '1', '10', '11', '12', '2']);
    expect(await tailed(new Position(middle.t, 0))).toEqual(expect.arrayContaining(['10', '11', '12', '2']));
    // Where mongo-connector has stopped, as its checkpoint file says.
    const file = join(mkdtempSync(join(tmpdir(), 'tailwater-')), 'oplog.timestamp');
    writeFileSync(file, `["${mongo.replicaSet}", ${middle.version}]`);
    expect(await tailed(parseStartAt(`file:${file}`))).toEqual(['10', '11', '12', '2']);
    rmSync(dirname(file), { recursive: true });
  });

  it('says what the oplog holds when it does not hold the position', async () => {
    const { oldest, newest } = await readOplogWindow(client);
    for (const startAt of [new Position(oldest.t - 10, 1), new Position(newest.t + 1000, 1)]) {
      const pipeline = await start({ startAt });
      await pipeline.ended;
      expect(pipeline.failure).toMatchObject({ code: 'TW1144' });
      expect(String(pipeline.failure)).toContain(oldest.toString());
    }
  });
});

describe('--snapshot-query and --snapshot-rate', () => {
  it('copies what matches, and follows everything', async () => {
    await insert('orders', 200);
    await insert('items', 20);
    const pipeline = await start({
      snapshotQueries: new Map([['shop.orders', { n: { $gte: 150 } }]]),
      chunkDocuments: 10,
      snapshotParallel: 3,
      snapshotReadPreference: 'nearest',
    });
    await pipeline.untilInStep();
    await collection('orders').updateOne({ _id: 3 as never }, { $set: { changed: true } });
    await pipeline.untilInStep();
    await pipeline.stop();
    await expectEqual('items');
    const { documents } = await fold('orders');
    expect([...documents.keys()].sort()).toEqual([...numbered(50, 150).map(({ _id }) => String(_id)), '3'].sort());
    expect(BSON.deserialize(documents.get('3') as Buffer)).toEqual({ _id: 3, n: 3, changed: true });
  });

  it('reads no faster than it is told', async () => {
    await insert('orders', 100);
    const pipeline = await start({ snapshotRate: 50, snapshotParallel: 2 });
    await waitFor(() => pipeline.report.totals().documents > 0, { describe: 'a first chunk' });
    const startedAtMs = Date.now();
    await pipeline.untilInStep();
    // The first chunks are read at once, a second's worth each worker; what follows waits for its second.
    expect(Date.now() - startedAtMs).toBeGreaterThan(500);
    await pipeline.stop();
    await expectEqual('orders');
  });
});
