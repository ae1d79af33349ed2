// Change streams from a real server, for a user who has no rights but find and changeStream, into a real Kafka.
import {
  compareByKey,
  type Kafka,
  LiveMix,
  type Mongo,
  PipelineProcess,
  Random,
  readRawDocuments,
  startStack,
  waitFor,
} from '@tailwater/devstack';
import { createKafka, TailwaterError } from '@tailwater/runtime';
import { checkpointTopicName, Position } from '@tailwater/schema';
import type { Collection, Document } from 'mongodb';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { peekCheckpoint } from '#producer/checkpoint/kafka-checkpoint-store.js';
import { resumeTokenOf } from '#producer/source/change-stream/stream-position.js';
import { connectSource } from '#producer/source/mongo/connect.js';
import { oldestPosition } from '#producer/source/oplog/oplog-window.js';
import { SourceReader } from '#test/contract/source/support/source-changes.js';
import { foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

const USER = { username: 'watcher', password: 'only-watches' };

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let root: MongoClient;
let watcher: MongoClient;
let tests = 0;
const pipelines: RunningPipeline[] = [];

beforeAll(async () => {
  // Without the last option a capped oplog is kept back to the last checkpoint of the storage engine, a minute ago.
  const stack = await startStack({ mongo: { auth: true, oplogSizeMb: 16, syncDelaySeconds: 1 }, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  root = await mongo.client();
  const privileges = [{ resource: { db: 'shop', collection: '' }, actions: ['find', 'changeStream'] }];
  await root.db('shop').command({ createRole: 'watch', privileges, roles: [] });
  await root.db('admin').command({ createUser: USER.username, pwd: USER.password, roles: [{ role: 'watch', db: 'shop' }] });
  watcher = new MongoClient(mongo.uriFor(USER));
});

beforeEach(() => {
  tests += 1;
});

afterEach(async () => {
  await Promise.all(pipelines.splice(0).map((pipeline) => pipeline.stop()));
});

afterAll(async () => {
  await watcher?.close();
  await stop?.();
});

const prefix = (): string => `t${tests}`;
const name = (): string => `orders${tests}`;
const collection = (): Collection<Document> => root.db('shop').collection(name());

async function start(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  const pipeline = await RunningPipeline.start(mongo, kafka, {
    prefix: prefix(),
    include: ['shop.*'],
    source: 'change-stream',
    user: USER,
    ...options,
  });
  pipelines.push(pipeline);
  return pipeline;
}

async function expectEqual(): Promise<void> {
  const folded = await foldTopic(kafka.brokers, `${prefix()}.shop.${name()}`);
  const stored = await readRawDocuments(root, 'shop', name());
  const differences = compareByKey(stored, folded.documents, (left, right) => left.equals(right));
  expect(differences).toEqual({ compared: stored.size, missing: [], extra: [], different: [] });
}

async function checkpointPosition(): Promise<Position> {
  const location = { topic: checkpointTopicName(prefix()), source: 'rs0' };
  const { position } = await peekCheckpoint(createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger), location);
  return position as Position;
}

async function transact(first: number, count: number): Promise<void> {
  await root.withSession((session) =>
    session.withTransaction(async () => {
      for (let n = first; n < first + count; n++) await collection().insertOne({ _id: n as never, bytes: Buffer.alloc(200) }, { session });
      await collection().updateMany({ _id: { $gte: first as never } }, { $set: { updated: true } }, { session });
    }),
  );
}

describe('change streams', () => {
  it('need no access to the oplog', async () => {
    await expect(connectSource(mongo.uriFor(USER), 'oplog')).rejects.toMatchObject({ code: 'TW1104' });
    const source = await connectSource(mongo.uriFor(USER), 'change-stream');
    await source.client.close();
  });

  it('say which right is missing', async () => {
    const reader = new SourceReader(watcher, 'change-stream', { include: [] });
    const failure: unknown = await reader.source.newestPosition().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TailwaterError);
    expect(failure).toMatchObject({ code: 'TW1161', message: expect.stringContaining('the cluster') });
  });

  it('copy and follow a collection, and go on after every kill of the producer', async () => {
    const random = new Random(7);
    await collection().insertMany(Array.from({ length: 3000 }, (_, n) => ({ _id: n as never, n, bytes: Buffer.alloc(100) })));
    const common = ['--kafka', kafka.brokers.join(','), '--prefix', prefix(), '--include', `shop.${name()}`];
    const producer = await PipelineProcess.start('producer', [
      ...['--mongo', mongo.uriFor(USER), '--source', 'change-stream', '--chunk-documents', '200', '--session-timeout', '6', ...common],
    ]);
    try {
      const mix = new LiveMix([collection()], random, 1_000_000, { documentBytes: 300 });
      await mix.adopt(500);
      for (let kill = 0; kill < 2; kill++) {
        for (let step = 0; step < 10; step++) {
          await mix.step(20);
          await transact(10_000 + (kill * 10 + step) * 100, 50);
        }
        await producer.kill9();
        await mix.step(20);
        await producer.start();
      }
    } finally {
      await producer.stop();
    }
    const pipeline = await start({ include: [`shop.${name()}`] });
    await pipeline.untilInStep();
    await expectEqual();
    expect(pipeline.counts.unknownEntries).toEqual({});
    await pipeline.stop();
    const position = await checkpointPosition();
    expect(resumeTokenOf(position)).toBeDefined();
  });

  it('move on while nothing happens where they watch', async () => {
    await collection().insertOne({ n: 1 });
    const pipeline = await start({ include: ['shop.quiet', `shop.${name()}`] });
    await pipeline.untilInStep();
    const before = pipeline.state.session?.position as Position;
    await root.db('elsewhere').collection('busy').insertOne({ n: 1 });
    await waitFor(() => (pipeline.state.session?.position.compare(before) ?? 0) > 0, { describe: 'the position to move on' });
    expect(pipeline.counts.eventsRead).toBe(0);
    await pipeline.stop();
    expect((await checkpointPosition()).compare(before)).toBeGreaterThan(0);
  });

  it('take documents as they were right after the update, where the server keeps them', async () => {
    await root.db('shop').createCollection(name(), { changeStreamPreAndPostImages: { enabled: true } });
    const reader = new SourceReader(root, 'change-stream', { include: [`shop.${name()}`], fullDocument: 'when-available' });
    const begin = await reader.source.newestPosition();
    await collection().insertOne({ _id: 'a' as never, n: 0 });
    for (const n of [1, 2]) await collection().updateOne({ _id: 'a' as never }, { $set: { n } });
    await reader.readUntil(begin, ({ changes }) => changes.length === 3);
    expect(reader.changes.map(({ document }) => JSON.parse(document ?? 'null').n)).toEqual([
      { $numberInt: '0' },
      { $numberInt: '1' },
      { $numberInt: '2' },
    ]);
    // An event of more than 16 MB cannot be sent by a server that does not split it.
    // It may be refused before the update is answered: somebody listens from the beginning.
    const refused = expect(reader.readUntil(reader.ends.at(-1) as Position, () => false)).rejects.toMatchObject({ code: 'TW1162' });
    await collection().updateOne({ _id: 'a' as never }, { $set: { large: Buffer.alloc(9_000_000) } });
    await refused;
  });

  it('lose no update where one of a batch has its document and another has not', async () => {
    const orders = await root.db('shop').createCollection(name(), { changeStreamPreAndPostImages: { enabled: true } });
    const plain = root.db('shop').collection(`plain${name()}`);
    const ids = Array.from({ length: 20 }, (_, n) => n as never);
    for (const each of [orders, plain]) await each.insertMany(ids.map((_id) => ({ _id, n: 0 })));
    const options = { fullDocument: 'when-available' } as const;
    const first = await start(options);
    await first.untilInStep();
    await first.stop();
    // Read as one batch later on: the images of a collection end with its setting.
    await orders.updateMany({ _id: { $lt: 10 as never } }, { $set: { n: 1 } });
    await plain.updateMany({}, { $set: { n: 1 } });
    await root.db('shop').command({ collMod: name(), changeStreamPreAndPostImages: { enabled: false } });
    await orders.updateMany({ _id: { $gte: 10 as never } }, { $set: { n: 1 } });
    const second = await start(options);
    await second.untilInStep();
    await second.stop();
    for (const each of [name(), `plain${name()}`]) {
      const folded = await foldTopic(kafka.brokers, `${prefix()}.shop.${each}`);
      const differences = compareByKey(await readRawDocuments(root, 'shop', each), folded.documents, (left, right) => left.equals(right));
      expect(differences).toEqual({ compared: 20, missing: [], extra: [], different: [] });
    }
    expect(second.counts).toMatchObject({ eventsRead: 40, eventsPublished: 40, eventsSuperseded: 0 });
  });

  it('go on behind the end of a watched collection, and when the server has restarted', async () => {
    const reader = new SourceReader(watcher, 'change-stream', { include: [`shop.${name()}`] });
    const begin = await reader.source.newestPosition();
    await collection().insertOne({ _id: 1 as never });
    await collection().drop();
    await collection().insertOne({ _id: 2 as never });
    const reading = reader.readUntilKey(begin, '4');
    await waitFor(() => reader.changes.length === 2);
    await collection().drop();
    await collection().insertOne({ _id: 3 as never });
    await waitFor(() => reader.changes.length === 3);
    await mongo.restart();
    await collection().insertOne({ _id: 4 as never });
    await reading;
    expect(reader.changes.map(({ key }) => key)).toEqual(['1', '2', '3', '4']);
  });

  it('say so when their place is lost', async () => {
    const reader = new SourceReader(watcher, 'change-stream', { include: [`shop.${name()}`] });
    const place = await reader.source.newestPosition();
    await waitFor(
      async () => {
        await collection().insertMany(Array.from({ length: 50 }, () => ({ bytes: Buffer.alloc(20_000, 1) })));
        return (await oldestPosition(root)).compare(place) > 0;
      },
      { describe: 'the oplog to roll over', timeoutMs: 120_000 },
    );
    const fromToken = reader.readUntil(place, () => false);
    await expect(fromToken).rejects.toMatchObject({ code: 'TW1160' });
    const fromPosition = reader.readUntil(new Position(place.t, place.i), () => false);
    await expect(fromPosition).rejects.toMatchObject({ code: 'TW1160' });
  });
});
