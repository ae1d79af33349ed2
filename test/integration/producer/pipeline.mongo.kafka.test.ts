// The producer's pipeline from a real oplog into a real Kafka: whatever happens, the topic folds to the collection.
import {
  compareByKey,
  countDifferences,
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
import { type Collection, type Document, Long, type MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readClusterId } from '#producer/source/mongo/cluster-id.js';
import { everyId } from './support/every-id.js';
import { type FoldedTopic, foldTopic } from './support/folded-topic.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

const MEGABYTE = 1024 * 1024;

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

const prefix = (): string => `t${tests}`;
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
  expect(countDifferences(differences)).toBe(0);
  return folded;
}

async function load(name: string, random: Random, count: number, firstId = 0): Promise<void> {
  const documents = Array.from({ length: count }, (_, n) => ({ _id: mixedId(random, firstId + n), ...mixedFields(random, 400) }));
  await collection(name).insertMany(documents as unknown as Document[]);
}

/** Transactions of a few operations over both collections, on documents that other writes touch too. */
async function transact(random: Random, count: number): Promise<void> {
  const session = client.startSession();
  try {
    for (let n = 0; n < count; n++) {
      const ids = Array.from({ length: 4 }, () => `shared-${random.below(40)}`);
      const fields = ids.map(() => mixedFields(random, 200));
      await session.withTransaction(async () => {
        const [orders, items] = [collection('orders'), collection('items')];
        await orders.replaceOne({ _id: ids[0] as never }, fields[0] as Document, { session, upsert: true });
        await items.updateOne({ _id: ids[1] as never }, { $set: fields[1] as Document, $inc: { times: 1 } }, { session, upsert: true });
        await orders.deleteOne({ _id: ids[2] as never }, { session });
        await orders.updateOne({ _id: ids[3] as never }, { $set: { touched: n } }, { session });
        await items.insertOne({ ...fields[2], n }, { session });
      });
    }
  } finally {
    await session.endSession();
  }
}

/** Some thousand writes of every kind to two collections, and transactions beside them. */
async function work(
  random: Random,
  steps: number,
  transactions: number,
  afterStep: (step: number) => Promise<void> = async () => {},
): Promise<void> {
  const mix = new LiveMix([collection('orders'), collection('items')], random, 1_000_000, { documentBytes: 300 });
  await mix.adopt(1500);
  const transacting = transact(random, transactions);
  for (let step = 0; step < steps; step++) {
    await mix.step(25);
    await afterStep(step);
  }
  await transacting;
}

describe('runPipeline', () => {
  it('copies collections while they are written to, and folds to them byte for byte', async () => {
    const random = new Random(20_240_601);
    await Promise.all([load('orders', random, 3000), load('items', random, 1000)]);
    const pipeline = await start({ chunkDocuments: 150 });
    await work(random, 80, 40);
    await pipeline.untilInStep();
    await pipeline.stop();
    expect(pipeline.failure).toBeUndefined();
    const [orders, items] = [await expectEqual('orders'), await expectEqual('items')];
    const origins = new Set(orders.events.map(({ origin, op }) => `${origin} ${op}`));
    expect(origins).toEqual(new Set(['snapshot read', 'tail insert', 'tail update', 'tail replace']));
    expect(orders.tombstones.length).toBeGreaterThan(20);
    // Promise E, to the event.
    const { counts } = pipeline;
    expect(counts.eventsRead).toBe(counts.eventsPublished + counts.eventsSuperseded + counts.eventsFiltered);
    expect(counts.snapshotRead).toBe(counts.snapshotPublished + counts.snapshotSuperseded);
    expect(orders.records.length + items.records.length).toBe(counts.eventsPublished + counts.snapshotPublished);
    expect(counts.unknownEntries).toEqual({});
  });

  it('publishes the operations of a transaction under one position and one id, in their order', async () => {
    await collection('orders').insertOne({ _id: 'old' as never });
    await client.db('shop').createCollection('items');
    const pipeline = await start();
    await pipeline.untilInStep();
    const session = client.startSession();
    await session.withTransaction(async () => {
      await collection('orders').insertMany([{ _id: 'a' as never }, { _id: 'b' as never }], { session });
      await collection('orders').updateOne({ _id: 'a' as never }, { $set: { n: 1 } }, { session });
      await collection('orders').deleteOne({ _id: 'old' as never }, { session });
      await collection('items').insertOne({ _id: 'c' as never }, { session });
    });
    await session.endSession();
    await pipeline.untilInStep();
    await pipeline.stop();
    const [orders, items] = [await expectEqual('orders'), await expectEqual('items')];
    const inTransaction = [...orders.events, ...items.events].filter(({ transaction }) => transaction !== null);
    expect(inTransaction.map(({ key, transaction }) => `${transaction?.index} ${key}`).sort()).toEqual([
      '0 "a"',
      '1 "b"',
      '2 "a"',
      '4 "c"',
    ]);
    expect(new Set(inTransaction.map(({ position, transaction }) => `${position.version} ${transaction?.id}`)).size).toBe(1);
    expect(orders.tombstones.map(({ key, position }) => [key, position.ordinal])).toEqual([['"old"', 3]]);
  });

  it('goes on from its checkpoint after every stop, in the middle of snapshot and writes', async () => {
    const random = new Random(7);
    await Promise.all([load('orders', random, 2000), load('items', random, 500)]);
    let pipeline = await start({ chunkDocuments: 50 });
    const documents: number[] = [];
    await work(random, 90, 40, async (step) => {
      if (step % 30 !== 10) return;
      const totals = () => pipeline.report.totals();
      await waitFor(() => totals().state === 'done' || totals().documents > (documents.at(-1) ?? 0), { describe: 'some progress' });
      await pipeline.stop();
      documents.push(pipeline.report.totals().documents);
      pipeline = await start({ chunkDocuments: 50 });
    });
    await pipeline.untilInStep();
    await pipeline.stop();
    const orders = await expectEqual('orders');
    await expectEqual('items');
    expect(documents.length).toBe(3);
    expect(documents[0]).toBeLessThan(2500);
    // A snapshot that began again at the beginning would have published the first documents again.
    const copied = orders.events.filter(({ origin }) => origin === 'snapshot').map(({ key }) => key);
    expect(new Set(copied).size).toBe(copied.length);
  });

  it('hands over to one that stands by, in the middle of everything', async () => {
    const random = new Random(99);
    await Promise.all([load('orders', random, 2000), load('items', random, 500)]);
    const first = await start({ chunkDocuments: 100 });
    await waitFor(() => first.counts.transactions > 5);
    const second = await start({ chunkDocuments: 100 });
    await waitFor(() => second.state.phase === 'standby');
    await work(random, 60, 30, async (step) => {
      if (step === 20) await first.stop();
    });
    await second.untilInStep();
    await second.stop();
    expect([first.failure, second.failure]).toEqual([undefined, undefined]);
    expect(second.log.filter(({ msg }) => msg.startsWith('Standing by')).length).toBe(1);
    await expectEqual('orders');
    await expectEqual('items');
  });

  it('publishes nothing again when it is stopped and started with nothing to do', async () => {
    await load('orders', new Random(3), 300);
    for (let n = 0; n < 3; n++) {
      const pipeline = await start();
      await pipeline.untilInStep();
      await pipeline.stop();
    }
    const { records } = await expectEqual('orders');
    expect(records.length).toBe(300);
  });

  it('copies many small collections in a few transactions, while they are written to, and starts again in one', async () => {
    const names = Array.from({ length: 60 }, (_, n) => `small${n}`);
    for (const name of names) await collection(name).insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: n as never, name })));
    const first = await start({ partitions: 2 });
    for (const name of names) await collection(name).updateOne({ _id: 3 as never }, { $set: { changed: true } });
    await first.untilInStep();
    await first.stop();
    expect(first.counts.snapshotRead).toBe(600);
    // What the tail brought are transactions of their own, and so are the checkpoints of a second without any.
    expect(first.counts.transactions).toBeLessThan(40);
    await Promise.all(names.map(expectEqual));
    const second = await start({ partitions: 2 });
    await collection('small7').insertOne({ _id: 'new' as never });
    await second.untilInStep();
    await second.stop();
    expect(second.counts.transactions).toBeLessThan(8);
    await expectEqual('small7');
  });

  it('keeps all records of a document in one partition when its topic is given more, while it runs and while it is away', async () => {
    const topic = `${prefix()}.shop.orders`;
    const addPartitions = (count: number) => kafka.withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
    const told = ({ log }: RunningPipeline) => log.filter(({ code }) => code === 'TW1251');
    await load('orders', new Random(25), 400);
    const first = await start({ partitions: 2 });
    await first.untilInStep();
    await addPartitions(3);
    await collection('orders').updateMany({}, { $set: { added: 3 } });
    await first.untilInStep();
    await first.fence();
    await collection('orders').deleteMany({ _id: { $in: (await collection('orders').find().limit(50).toArray()).map(({ _id }) => _id) } });
    await first.untilInStep();
    await first.stop();
    expect(told(first)).toHaveLength(1);
    await addPartitions(6);
    await collection('orders').deleteMany({ _id: { $in: (await collection('orders').find().limit(50).toArray()).map(({ _id }) => _id) } });
    const second = await start({ partitions: 2 });
    await collection('orders').updateMany({}, { $set: { added: 6 } });
    await second.untilInStep();
    await second.stop();
    expect(told(second)).toMatchObject([{ msg: expect.stringContaining(`kafka-topics.sh --bootstrap-server`) }]);
    // Which looks at the partition of each key, too.
    const folded = await expectEqual('orders');
    expect(folded.tombstones).toHaveLength(100);
    expect(new Set(folded.records.map(({ partition }) => partition))).toEqual(new Set([0, 1]));
    // What the warning says to do.
    await kafka.withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
    const third = await start({ partitions: 6 });
    await third.untilInStep();
    await third.stop();
    expect(told(third)).toEqual([]);
    const anew = await expectEqual('orders');
    expect(new Set(anew.records.map(({ partition }) => partition)).size).toBe(6);
  });

  it('carries ids of every type, through snapshot, insert, update and delete', async () => {
    const ids = everyId();
    const documents = (): Document[] => ids.map((_id, n) => ({ _id, n }));
    await collection('copied').insertMany(documents(), { forceServerObjectId: true });
    const pipeline = await start({ chunkDocuments: 7 });
    await pipeline.untilInStep();
    await collection('tailed').insertMany(documents(), { forceServerObjectId: true });
    for (const name of ['copied', 'tailed']) {
      for (const [n, _id] of ids.entries()) {
        if (n % 3 === 0) await collection(name).deleteOne({ _id: _id as never });
        else await collection(name).updateOne({ _id: _id as never }, { $set: { updated: Long.fromNumber(n) } });
      }
    }
    await pipeline.untilInStep();
    await pipeline.stop();
    for (const name of ['copied', 'tailed']) {
      const { events, tombstones } = await expectEqual(name);
      expect(events.filter(({ op }) => op === 'update').length).toBe(ids.length - Math.ceil(ids.length / 3));
      expect(tombstones.length).toBe(Math.ceil(ids.length / 3));
    }
  });

  it('carries documents near 16 MB, several of them to one partition', async () => {
    const large = (n: number, size = 15.9): Document => ({ _id: n, n, bytes: Buffer.alloc(size * MEGABYTE, n) });
    for (let n = 1; n < 3; n++) await collection('large').insertOne(large(n));
    const pipeline = await start({ partitions: 1 });
    await pipeline.untilInStep();
    // In one read of the oplog as well: small ones before a large one make a slice that no record batch holds.
    await collection('large').insertMany([large(3, 5.5), large(4, 0.1)]);
    await collection('large').insertMany([large(5), large(6, 5.5)]);
    await collection('large').updateMany({}, { $set: { updated: 1 } });
    await pipeline.untilInStep();
    await pipeline.stop();
    expect(pipeline.failure).toBeUndefined();
    await expectEqual('large');
  }, 180_000);

  it('follows collections that are created, dropped and renamed', async () => {
    await load('orders', new Random(5), 50);
    const pipeline = await start();
    await pipeline.untilInStep();
    await client.db('shop').createCollection('fresh');
    await load('fresh', new Random(6), 20);
    await client.db('tmp').collection('staged').drop();
    await client
      .db('tmp')
      .collection('staged')
      .insertMany([{ n: 1 }, { n: 2 }]);
    await pipeline.untilInStep();
    // From outside into a namespace that is included: its documents were never in the tail.
    await client.db('admin').command({ renameCollection: 'tmp.staged', to: 'shop.arrived' });
    await waitFor(() => pipeline.report.collections().some(({ namespace, state }) => namespace === 'shop.arrived' && state === 'done'));
    await collection('arrived').insertOne({ n: 3 });
    await collection('orders').drop();
    await pipeline.untilInStep();
    await load('orders', new Random(8), 10, 5000);
    await pipeline.untilInStep();
    await pipeline.stop();
    await expectEqual('arrived');
    const fresh = await expectEqual('fresh');
    expect(new Set(fresh.events.map(({ origin }) => origin))).toEqual(new Set(['tail']));
    expect((await expectEqual('orders')).documents.size).toBe(10);
    expect(pipeline.log.filter(({ msg }) => msg.startsWith('The collection was ')).length).toBe(2);
  });

  it('copies all of a collection that another one replaced in the middle of its snapshot', async () => {
    await collection('orders').insertMany(Array.from({ length: 4000 }, (_, n) => ({ _id: n as never, generation: 'old' })));
    const staged = client.db('tmp').collection('replacement');
    await staged.insertMany(Array.from({ length: 2000 }, (_, n) => ({ _id: n as never, generation: 'new' })));
    const pipeline = await start({ chunkDocuments: 50 });
    await waitFor(() => pipeline.report.totals().documents > 500);
    await client.db('admin').command({ renameCollection: 'tmp.replacement', to: 'shop.orders', dropTarget: true });
    const copied = pipeline.report.totals().documents;
    await pipeline.untilInStep();
    await pipeline.stop();
    expect(copied).toBeLessThan(4000);
    expect((await expectEqual('orders')).documents.size).toBe(2000);
    const again = await start();
    await again.untilInStep();
    expect(again.report.collections().find(({ namespace }) => namespace === 'shop.orders')).toMatchObject({ state: 'done' });
    await again.stop();
  });

  it('goes on with no other cluster of the same name unless it is told to, and then says that its place is lost', async () => {
    await load('orders', new Random(11), 10);
    const first = await start();
    await first.untilInStep();
    await first.stop();
    const position = first.state.session?.position;
    const other = await startStack({ mongo: { replicaSet: 'rs0' } });
    try {
      const options = { prefix: prefix(), include: ['shop.*'], onGap: 'stop' } as const;
      const wrong = await RunningPipeline.start(other.mongo, kafka, options);
      await wrong.ended;
      expect(wrong.failure).toMatchObject({ code: 'TW1110' });
      await wrong.stop();
      const acceptCluster = await readClusterId(await other.mongo.client(), false);
      expect((wrong.failure as Error).message).toContain(acceptCluster);
      const lost = await RunningPipeline.start(other.mongo, kafka, { ...options, acceptCluster });
      await lost.ended;
      expect(lost.failure).toMatchObject({ code: 'TW1106' });
      expect((lost.failure as Error).message).toContain(String(position));
      await lost.stop();
    } finally {
      await other.stop();
    }
  });
});
