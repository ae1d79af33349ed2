// Promises A, B and G over the failovers of a replica set of three: the producer goes on by itself, nothing is lost or out of
// order, and what was rolled back was never published.
import { compareByKey, type Kafka, type Mongo, type MongoMember, readRawDocuments, startStack, waitFor } from '@tailwater/devstack';
import { createKafka, sleep } from '@tailwater/runtime';
import { signalsTopicName } from '@tailwater/schema';
import type { Collection, Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import { type FoldedTopic, foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let client: MongoClient;
let tests = 0;
let pipeline: RunningPipeline | undefined;

beforeAll(async () => {
  const stack = await startStack({ mongo: { members: 3, args: ['--setParameter', 'enableTestCommands=1'] }, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
  // An election begins when the primary has been silent for so long; 10 s by default.
  const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
  config.settings.electionTimeoutMillis = 2000;
  await client.db('admin').command({ replSetReconfig: { ...config, version: config.version + 1 } });
});

beforeEach(async () => {
  tests += 1;
  await client.db('shop').dropDatabase();
});

afterEach(async () => {
  await pipeline?.stop();
  await mongo.start();
});

afterAll(() => stop?.());

const orders = (): Collection<Document & { _id: string }> => client.db('shop').collection('orders');

async function start(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  pipeline = await RunningPipeline.start(mongo, kafka, { prefix: `t${tests}`, include: ['shop.*'], ...options });
  await pipeline.untilInStep();
  return pipeline;
}

const fold = (): Promise<FoldedTopic> => foldTopic(kafka.brokers, `t${tests}.shop.orders`);

/** The topic, once it is known to hold the collection, byte for byte; folding it checks the order per document. */
async function expectEqual(running: RunningPipeline): Promise<FoldedTopic> {
  await running.untilInStep();
  await running.stop();
  expect(running.failure).toBeUndefined();
  const folded = await fold();
  const stored = await readRawDocuments(client, 'shop', 'orders');
  const differences = compareByKey(stored, folded.documents, (one, other) => one.equals(other));
  expect(differences).toEqual({ compared: stored.size, missing: [], extra: [], different: [] });
  return folded;
}

/** Writes of every kind until told to stop; those that a failover refuses are tried again by the driver, or left. */
class Writer {
  readonly #stop = new AbortController();
  readonly #writing: Promise<void>;
  steps = 0;

  constructor(collection: Collection<Document & { _id: string }>) {
    this.#writing = this.#run(collection);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
  }

  async #run(collection: Collection<Document & { _id: string }>): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n++) {
      try {
        await collection.insertOne({ _id: `new-${n}`, n });
        await collection.updateOne({ _id: `shared-${n % 7}` }, { $set: { n }, $inc: { times: 1 } }, { upsert: true });
        if (n % 3 === 0) await collection.replaceOne({ _id: `shared-${n % 5}` }, { n, replaced: true }, { upsert: true });
        if (n % 4 === 0) await collection.deleteOne({ _id: `new-${n - 2}` });
        this.steps += 1;
      } catch {
        // Whether it took place, the collection itself will tell.
      }
    }
  }
}

async function whileWriting(events: Record<string, () => Promise<unknown>>, running: RunningPipeline): Promise<void> {
  const writer = new Writer(orders());
  const published = (): number => running.counts.eventsPublished;
  const figures: Record<string, number> = {};
  try {
    for (const [name, event] of Object.entries(events)) {
      const [steps, before] = [writer.steps, published()];
      await waitFor(() => writer.steps > steps + 20 && published() > before + 20, { describe: 'writes before' });
      const startedAtMs = performance.now();
      await event();
      const after = writer.steps;
      await waitFor(() => writer.steps > after, { describe: 'a write after it', timeoutMs: 60_000 });
      const then = published();
      await waitFor(() => published() > then, { describe: `an event after ${name}`, timeoutMs: 60_000 });
      figures[name] = Math.round(performance.now() - startedAtMs);
    }
  } finally {
    await writer.end();
  }
  if (process.env['SHOW_FIGURES'] !== undefined) console.log(figures);
}

describe('a replica set of three', () => {
  it('steps down and loses its primary while it is written to', async () => {
    await orders().insertMany(Array.from({ length: 200 }, (_, n) => ({ _id: `old-${n}`, n })));
    const running = await start();
    await whileWriting({ 'step-down': () => mongo.stepDown(), 'kill -9': async () => (await mongo.primary()).kill9() }, running);
    const { events } = await expectEqual(running);
    expect(new Set(events.map(({ origin }) => origin))).toEqual(new Set(['snapshot', 'tail']));
    const { counts } = running;
    expect(counts.eventsRead).toBe(counts.eventsPublished + counts.eventsSuperseded + counts.eventsFiltered);
  });

  it('rolls back what its primary alone had acknowledged, which was never published', async () => {
    await orders().insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: `kept-${n}`, n })));
    const running = await start();
    const primary = await mongo.primary();
    const others = mongo.members.filter((member) => member !== primary);
    await Promise.all(others.map((member) => member.kill9()));
    // It does not know yet that it is alone, and acknowledges by itself; on disk, so that they are there to be rolled back.
    const alone = { writeConcern: { w: 1, journal: true } };
    await primary.withClient(async (direct) => {
      const collection = direct.db('shop').collection<Document & { _id: string }>('orders');
      await collection.insertMany(
        Array.from({ length: 30 }, (_, n) => ({ _id: `lost-${n}`, n })),
        alone,
      );
      await collection.updateMany({ _id: /^kept-/ }, { $set: { lost: true } }, alone);
      await collection.deleteOne({ _id: 'kept-0' }, alone);
      expect(await collection.countDocuments({ _id: /^lost-/ })).toBe(30);
    });
    await primary.kill9();
    await Promise.all(others.map((member) => member.start()));
    await mongo.primary();
    const majority = { writeConcern: { w: 'majority' as const } };
    await orders().insertMany(
      Array.from({ length: 30 }, (_, n) => ({ _id: `new-${n}`, n })),
      majority,
    );
    await orders().updateMany({ _id: /^kept-/ }, { $set: { changed: 1 } }, majority);
    await primary.start();
    await waitFor(() => idsOf(primary), {
      until: (ids) => ids?.includes('new-29') === true && !ids.includes('lost-0'),
      describe: 'the rollback',
    });
    await orders().updateMany({}, { $inc: { changed: 1 } }, majority);
    const { records, events, tombstones } = await expectEqual(running);
    expect(records.map(({ key }) => String(key)).filter((key) => key.includes('lost'))).toEqual([]);
    expect(events.filter(({ document }) => document.includes('lost')).map(({ key }) => key)).toEqual([]);
    expect(tombstones).toEqual([]);
  });

  it('publishes nothing that a secondary which stands still has not come to', async () => {
    const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
    const primary = await mongo.primary();
    const stalled = mongo.members.find((member) => member !== primary) as MongoMember;
    for (const member of config.members) member.tags = member.host === stalled.host ? { use: 'tail' } : {};
    await client.db('admin').command({ replSetReconfig: { ...config, version: config.version + 1 } });
    await orders().insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: `old-${n}`, n })));
    const running = await start({ uri: `${mongo.uri}&readPreference=secondary&readPreferenceTags=use:tail` });
    const replicate = (mode: string) =>
      stalled.withClient((direct) => direct.db('admin').command({ configureFailPoint: 'stopReplProducer', mode }));
    await replicate('alwaysOn');
    const sending = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger);
    const ids = ['new', 'old-3'];
    try {
      await orders().insertOne({ _id: 'new' }, { writeConcern: { w: 'majority' } });
      await orders().updateOne({ _id: 'old-3' }, { $set: { n: -3 } }, { writeConcern: { w: 'majority' } });
      const signal = { kind: 'refresh', namespace: 'shop.orders', ids, id: 'stalled', askedAtMs: 0 } as const;
      await writeSignal(sending, signalsTopicName(`t${tests}`), signal);
      await waitFor(() => running.log.some(({ msg }) => msg === 'Signal received'), { describe: 'the signal' });
      // The tail waits a second for entries at a time: by then several reads have found nothing.
      await sleep(4000);
      expect((await fold()).tombstones).toEqual([]);
    } finally {
      await replicate('off');
    }
    await waitFor(() => running.log.some(({ msg }) => msg === 'Documents were refreshed'), { describe: 'the refresh', timeoutMs: 60_000 });
    // What is behind the position of an insert or an update is no older than it.
    expect((await expectEqual(running)).tombstones).toEqual([]);
  });

  it('is read at a secondary where the connection string prefers one, over a failover too', async () => {
    await orders().insertMany(Array.from({ length: 100 }, (_, n) => ({ _id: `old-${n}`, n })));
    const running = await start({ uri: `${mongo.uri}&readPreference=secondary` });
    // Between two requests, and while a new cursor is opened, none may be seen.
    const tailed = await waitFor(tailedMembers, { until: (members) => members.length > 0, describe: 'the cursor on the oplog' });
    expect(tailed).not.toContain((await mongo.primary()).name);
    await whileWriting({ 'step-down': () => mongo.stepDown() }, running);
    await expectEqual(running);
  });
});

const idsOf = (member: MongoMember): Promise<string[]> =>
  member.withClient((direct) =>
    direct
      .db('shop')
      .collection<Document & { _id: string }>('orders')
      .find({}, { readPreference: 'secondaryPreferred' })
      .map(({ _id }) => _id)
      .toArray(),
  );

/** The members at which a producer has its cursor on the oplog. */
async function tailedMembers(): Promise<string[]> {
  const tailed = await Promise.all(
    mongo.members.map(async (member) => {
      const pipelineOfOperations = [
        { $currentOp: { allUsers: true, idleCursors: true } },
        { $match: { ns: 'local.oplog.rs', appName: 'tailwater-producer' } },
      ];
      const found = await member.withClient((direct) =>
        direct.db('admin').aggregate(pipelineOfOperations, { readPreference: 'secondaryPreferred' }).toArray(),
      );
      return found.length > 0 ? [member.name] : [];
    }),
  );
  return tailed.flat();
}
