// Promises C and F: whatever takes documents away (drops, renames, a gap in the oplog), the topic folds to the collection.
import { compareByKey, countDifferences, type Kafka, type Mongo, readRawDocuments, startStack, waitFor } from '@tailwater/devstack';
import { compileNamespaceRules, createKafka } from '@tailwater/runtime';
import { type Position, recordKeyOf, signalsTopicName } from '@tailwater/schema';
import type { Collection, CreateCollectionOptions, Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { warnAboutNamespaces } from '#producer/backfill/snapshot/namespace-warnings.js';
import type { GapRecord } from '#producer/checkpoint/checkpoint-record.js';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import type { SignalBody } from '#producer/signals/signal.js';
import { oldestPosition } from '#producer/source/oplog/oplog-window.js';
import { everyId } from './support/every-id.js';
import { type FoldedTopic, foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let client: MongoClient;
let tests = 0;
const pipelines: RunningPipeline[] = [];

beforeAll(async () => {
  // Without the delay a capped oplog is kept back to the storage engine's last checkpoint, a minute ago.
  const stack = await startStack({ mongo: { oplogSizeMb: 4, syncDelaySeconds: 1 }, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
});

beforeEach(async () => {
  tests += 1;
  for (const name of ['shop', 'attic', 'elsewhere']) await client.db(name).dropDatabase();
  // Something is always there to wait for.
  await client.db('attic').collection('anchor').insertOne({});
});

afterEach(async () => {
  await Promise.all(pipelines.splice(0).map((pipeline) => pipeline.stop()));
});

afterAll(() => stop?.());

const prefix = (): string => `t${tests}`;
const collection = (name: string, database = 'shop'): Collection => client.db(database).collection(name);
const documents = (count: number, generation: string, first = 0): Document[] =>
  Array.from({ length: count }, (_, n) => ({ _id: first + n, generation }));

async function start(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  const include = ['shop.*', 'attic.*'];
  const pipeline = await RunningPipeline.start(mongo, kafka, { prefix: prefix(), include, partitions: 2, ...options });
  pipelines.push(pipeline);
  return pipeline;
}

/** The topic's documents come to be the collection's, byte for byte, and as many as are meant to be there. */
async function expectEqual(name: string, size: number, database = 'shop'): Promise<FoldedTopic> {
  const stored = await readRawDocuments(client, database, name);
  expect([name, stored.size]).toEqual([name, size]);
  // What the pipeline has handed to Kafka last may not be committed yet.
  const { folded } = await waitFor(
    async () => {
      const folded = await foldTopic(kafka.brokers, `${prefix()}.${database}.${name}`);
      return { folded, differences: compareByKey(stored, folded.documents, (a, b) => a.equals(b)) };
    },
    {
      until: ({ differences }) => countDifferences(differences) === 0,
      describe: (last) => `the topic of ${name} to be its collection: ${JSON.stringify(last?.differences)}`,
    },
  );
  return folded;
}

/** Writes, to where nobody looks, until the oplog begins behind the position. */
async function rollOver(position: Position): Promise<void> {
  const filler = collection('filler', 'elsewhere');
  await waitFor(
    async () => {
      await filler.insertMany(Array.from({ length: 20 }, () => ({ bytes: Buffer.alloc(20_000, 1) })));
      return (await oldestPosition(client)).compare(position) > 0;
    },
    { describe: 'the oplog to roll over', timeoutMs: 120_000, intervalMs: 10 },
  );
}

const sweepsOf = (folded: FoldedTopic): string[] => folded.tombstones.filter(({ origin }) => origin === 'sweep').map(({ key }) => key);

describe('a collection that is dropped', () => {
  it('leaves no document behind, whatever its id, and one that comes back survives', async () => {
    const ids = everyId();
    await collection('orders').insertMany(
      ids.map((_id, n) => ({ _id: _id as never, n })),
      { forceServerObjectId: true },
    );
    const pipeline = await start();
    await pipeline.untilInStep();
    await collection('orders').deleteOne({ _id: ids[3] as never });
    await collection('orders').drop();
    for (const [n, _id] of ids.entries()) if (n % 3 === 0) await collection('orders').insertOne({ _id: _id as never, again: n });
    await pipeline.untilInStep();
    const again = Math.ceil(ids.length / 3);
    const orders = await expectEqual('orders', again);
    // The third one had a tombstone of its own, and came back. One that had not come back yet when it was looked for has one of the sweep, too.
    const gone = ids.filter((_, n) => n % 3 !== 0).map((_id) => recordKeyOf(_id));
    expect(sweepsOf(orders)).toEqual(expect.arrayContaining(gone));
    expect(orders.controls.map(({ kind, partition, details }) => [kind, partition, details['namespace']]).sort()).toEqual([
      ['drop', 0, 'shop.orders'],
      ['drop', 1, 'shop.orders'],
    ]);
    await client.db('shop').dropDatabase();
    await collection('later').insertOne({ n: 2 });
    await pipeline.untilInStep();
    await expectEqual('orders', 0);
    await expectEqual('later', 1);
    const { counts } = pipeline;
    expect(counts.eventsRead).toBe(counts.eventsPublished + counts.eventsSuperseded + counts.eventsFiltered);
    expect(counts.sweepPublished).toBeGreaterThanOrEqual(ids.length);
  });

  it('is swept while documents of the same ids come and go', async () => {
    await collection('busy').insertMany(documents(2500, 'first'));
    const pipeline = await start();
    await pipeline.untilInStep();
    for (let round = 0; round < 4; round++) {
      await collection('busy').drop();
      for (let n = 0; n < 60; n++) {
        const _id = ((round * 977 + n * 131) % 2500) as never;
        await collection('busy').replaceOne({ _id }, { round, n }, { upsert: true });
        if (n % 4 === 0) await collection('busy').deleteOne({ _id });
      }
    }
    await pipeline.untilInStep();
    await expectEqual('busy', await collection('busy').countDocuments());
  });

  it('is swept by the next start when the producer was away, or ended in the middle of it', async () => {
    await collection('orders').insertMany(documents(6000, 'old'));
    await collection('items').insertMany(documents(10, 'old'));
    const first = await start();
    await first.untilInStep();
    await first.stop();
    await collection('orders').drop();
    await collection('orders').insertMany(documents(5, 'new', 17));
    await collection('items').drop();
    const second = await start();
    await waitFor(() => second.counts.sweepPublished > 0, { describe: 'the sweep to begin' });
    // In the middle of it, as by a kill: nothing drains, and what is left is done by the next session.
    await second.fence();
    await second.untilInStep();
    await expectEqual('orders', 5);
    await expectEqual('items', 0);
    await second.stop();
    // It is done: no later start begins it again.
    const third = await start();
    await third.untilInStep();
    expect(third.counts.sweepRead).toBe(0);
  });
});

describe('a collection that is renamed', () => {
  it('is gone under the old name and there under the new one, inside and across databases, and across what is included', async () => {
    for (const name of ['inside', 'over', 'across', 'out']) await collection(name).insertMany(documents(20, name));
    await collection('target').insertMany(documents(30, 'replaced', 10));
    await collection('in', 'elsewhere').insertMany(documents(15, 'in'));
    const pipeline = await start();
    await pipeline.untilInStep();
    const admin = client.db('admin');
    await admin.command({ renameCollection: 'shop.inside', to: 'shop.moved' });
    await admin.command({ renameCollection: 'shop.over', to: 'shop.target', dropTarget: true });
    await admin.command({ renameCollection: 'shop.across', to: 'attic.across' });
    await admin.command({ renameCollection: 'shop.out', to: 'elsewhere.out' });
    await admin.command({ renameCollection: 'elsewhere.in', to: 'shop.in' });
    await collection('inside').insertOne({ _id: 5 as never, generation: 'after' });
    await pipeline.untilInStep();
    for (const [name, size] of Object.entries({ inside: 1, moved: 20, over: 0, target: 20, across: 0, out: 0, in: 15 })) {
      await expectEqual(name, size);
    }
    await expectEqual('across', 20, 'attic');
    // What the server fills on the way is nobody's collection.
    const topics = await kafka.withAdmin((client) => client.listTopics());
    expect(topics.filter((topic) => topic.startsWith(`${prefix()}.`) && topic.includes('tmp'))).toEqual([]);
  });

  it('covers $out and convertToCapped, which replace a collection by a rename', async () => {
    await collection('orders').insertMany(documents(40, 'source'));
    await collection('report').insertMany(documents(50, 'stale', 20));
    const pipeline = await start();
    await pipeline.untilInStep();
    await collection('orders')
      .aggregate([{ $match: { _id: { $lt: 30 } } }, { $out: 'report' }])
      .toArray();
    await client.db('shop').command({ convertToCapped: 'orders', size: 4096 });
    await pipeline.untilInStep();
    await expectEqual('report', 30);
    await expectEqual('orders', await collection('orders').countDocuments());
    const topics = await kafka.withAdmin((client) => client.listTopics());
    expect(topics.filter((topic) => topic.startsWith(`${prefix()}.`) && topic.includes('tmp'))).toEqual([]);
  });
});

describe('a copy that a producer decided on', () => {
  it('is made by the next one where nothing is copied at a start: of a collection that took a name', async () => {
    const first = await start({ snapshot: 'never', snapshotRate: 100 });
    await first.untilReadAll();
    await collection('old').insertMany(documents(300, 'moved'));
    await collection('old').rename('new');
    await waitFor(() => first.report.pending().length > 0, { describe: 'the copy to be decided on', intervalMs: 1 });
    await first.fence();
    await first.untilInStep();
    await expectEqual('old', 0);
    await expectEqual('new', 300);
  });

  it('is made by the next one when the tail has made the topic again that somebody deleted', async () => {
    await collection('orders').insertMany(documents(300, 'old'));
    const first = await start({ snapshot: 'when-needed' });
    await first.untilInStep();
    await first.stop();
    const topic = `${prefix()}.shop.orders`;
    await kafka.withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      await waitFor(() => admin.listTopics(), { until: (topics) => !topics.includes(topic), describe: 'the topic to go' });
    });
    await collection('orders').updateOne({ _id: 7 as never }, { $set: { generation: 'new' } });
    const second = await start({ snapshot: 'when-needed', snapshotRate: 100 });
    await second.untilReadAll();
    await second.fence();
    await second.untilInStep();
    await expectEqual('orders', 300);
  });
});

describe.each(['oplog', 'change-stream'] as const)('where a collection was, by %s,', (source) => {
  it.each([
    // Of the same ids, and something else in them.
    ['a view', { viewOn: 'sales', pipeline: [{ $set: { seen: true } }] }],
    ['a time series', { timeseries: { timeField: 'at' } }],
  ])('%s is never asked for documents, and the name may become a collection again', async (_, options: CreateCollectionOptions) => {
    await collection('orders').insertMany(documents(60, 'stored'));
    await collection('sales').insertMany(documents(80, 'shown'));
    const include = ['shop.orders'];
    const first = await start({ include, source });
    await first.untilInStep();
    await collection('orders').drop();
    await client.db('shop').createCollection('orders', options);
    // A view takes no writes.
    if (options.timeseries !== undefined)
      await collection('orders').insertMany(documents(5, 'measured').map((one) => ({ ...one, at: new Date() })));
    const topic = `${prefix()}.shop.orders`;
    const foldsTo = (size: number) =>
      waitFor(() => foldTopic(kafka.brokers, topic), {
        until: (folded) => folded.documents.size === size,
        describe: (last) => `${size} documents, now ${last?.documents.size}`,
      });
    await foldsTo(0);
    const sending = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger);
    const ask = (body: SignalBody) => writeSignal(sending, signalsTopicName(prefix()), { ...body, id: body.kind, askedAtMs: 0 });
    await ask({ kind: 'refresh', namespace: 'shop.orders', ids: [1] });
    await ask({ kind: 'snapshot', namespace: 'shop.orders' });
    await ask({ kind: 'reconcile', namespace: 'shop.orders' });
    const lines = (text: string) => first.log.filter(({ msg }) => msg.startsWith(text)).length;
    await waitFor(() => lines('The topic was swept') === 2 && lines('Snapshot of the collection finished') === 2, {
      describe: 'the reconcile of what is no collection',
    });
    expect([lines('A signal was ignored'), first.counts.sweepPublished]).toEqual([2, 60]);
    await foldsTo(0);
    await first.stop();
    expect(first.failure).toBeUndefined();
    const second = await start({ include, source });
    await second.untilReadAll();
    await collection('orders').drop();
    await collection('orders').insertMany(documents(3, 'again'));
    await foldsTo(3);
    await expectEqual('orders', 3);
    expect(second.failure).toBeUndefined();
  });
});

describe('what a start tells of the namespaces', () => {
  it('names views, time series and, on an old server, capped collections', async () => {
    const db = client.db('shop');
    await db.createCollection('seen', { viewOn: 'orders', pipeline: [] });
    await db.createCollection('measured', { timeseries: { timeField: 'at' } });
    await db.createCollection('short', { capped: true, size: 4096 });
    await db.createCollection('plain');
    const include = ['shop.seen', 'shop.measured', 'shop.short', 'shop.plain', 'shop.later'];
    const told = async (version: string, included: readonly string[]) => {
      const { logger, lines } = keptLog();
      await warnAboutNamespaces({ client, version }, compileNamespaceRules({ include: [...included] }), included, logger);
      return lines.map((line) => [line.level, line['code'], line['namespace'] ?? line['capped']]);
    };
    expect(await told('6.0.5', include)).toEqual([
      ['warn', 'TW1195', 'shop.seen'],
      ['warn', 'TW1195', 'shop.measured'],
    ]);
    expect(await told('4.4.2', ['shop.*'])).toEqual([['warn', 'TW1196', ['shop.short']]]);
  });
});

describe('a checkpoint topic that is gone while topics hold documents', () => {
  it('is told and healed, and never taken for a first start', async () => {
    await collection('orders').insertMany(documents(50, 'first'));
    await collection('gone').insertMany(documents(3, 'first'));
    const before = await start();
    await before.untilInStep();
    await before.stop();
    expect(codes(before)).not.toContain('TW1221');
    await collection('orders').deleteMany({ _id: { $lt: 20 as never } });
    await collection('gone').drop();
    await kafka.withAdmin(async (admin) => {
      const topic = `${prefix()}.checkpoints`;
      await admin.deleteTopics({ topics: [topic] });
      await waitFor(() => admin.listTopics(), { until: (topics) => !topics.includes(topic), describe: 'the topic to go' });
      // Into how many keys were divided was in the checkpoint alone.
      await admin.createPartitions({ topicPartitions: [{ topic: `${prefix()}.shop.orders`, count: 5 }] });
    });
    const undecided = await start({ onGap: 'stop' });
    await undecided.ended;
    expect(undecided.failure).toMatchObject({ code: 'TW1221' });
    const after = await start({ snapshot: 'never' });
    await after.untilInStep();
    expect(codes(after).filter((code) => code === 'TW1221')).toHaveLength(1);
    expect(sweepsOf(await expectEqual('orders', 30))).toHaveLength(20);
    await expectEqual('gone', 0);
    expect(codes(after)).toContain('TW1251');
    await after.stop();
    const again = await start();
    await again.untilInStep();
    expect(codes(again)).not.toContain('TW1221');
    await collection('orders').updateMany({}, { $set: { generation: 'second' } });
    await again.untilInStep();
    await expectEqual('orders', 30);
  });
});

const codes = (pipeline: RunningPipeline): unknown[] => pipeline.log.map(({ code }) => code);

describe('a gap in the oplog', () => {
  /** What a producer misses while it is away, and cannot read any more. */
  async function missAll(pipeline: RunningPipeline): Promise<void> {
    const position = pipeline.state.session?.position as Position;
    await collection('orders').deleteMany({ _id: { $gte: 1000 as never } });
    await collection('orders').updateMany({ _id: { $lt: 50 as never } }, { $set: { generation: 'changed' } });
    await collection('orders').insertMany(documents(30, 'new', 10_000));
    await collection('items').drop();
    await collection('moving').rename('moved');
    await rollOver(position);
  }

  async function beginning(): Promise<RunningPipeline> {
    await collection('orders').insertMany(documents(3000, 'old'));
    await collection('items').insertMany(documents(40, 'old'));
    await collection('moving').insertMany(documents(20, 'old'));
    const pipeline = await start();
    await pipeline.untilInStep();
    return pipeline;
  }

  async function expectAllEqual(): Promise<FoldedTopic> {
    await expectEqual('items', 0);
    await expectEqual('moving', 0);
    await expectEqual('moved', 20);
    return expectEqual('orders', await collection('orders').countDocuments());
  }

  it('is healed while the tail goes on, and noted for people and readers', async () => {
    const first = await beginning();
    await first.stop();
    await missAll(first);
    const second = await start();
    await waitFor(() => second.state.gap, { describe: 'the gap to be noticed' });
    for (let n = 0; n < 50; n++) {
      await collection('orders').insertOne({ _id: (20_000 + n) as never });
      await collection('orders').deleteOne({ _id: (n * 7) as never });
    }
    await second.untilInStep();
    await waitFor(() => second.state.gap?.healedAtMs, { describe: 'the gap to be healed' });
    const gap = second.state.gap as GapRecord;
    expect(gap).toMatchObject({ from: first.state.session?.position?.toString() });
    const orders = await expectAllEqual();
    expect(orders.controls.map(({ kind, partition, details }) => [kind, partition, details['from']])).toEqual([
      ['gap', 0, gap.from],
      ['gap', 1, gap.from],
    ]);
    const warning = second.log.find(({ msg }) => msg.startsWith('A gap: '));
    expect(warning).toMatchObject({ level: 'warn', code: 'TW1106', checkpoint: gap.from });
    await second.stop();
    // It is over: the next start copies and sweeps nothing.
    const third = await start();
    await third.untilInStep();
    expect([third.counts.snapshotRead, third.counts.sweepRead]).toEqual([0, 0]);
  });

  it('is healed by whoever is left, wherever a producer ends in the middle of it', async () => {
    const first = await beginning();
    await first.stop();
    await missAll(first);
    const last = await start({ chunkDocuments: 50 });
    for (const reached of [
      () => last.state.gap !== undefined,
      () => last.counts.snapshotPublished > 0,
      () => last.counts.sweepPublished > 0 || last.state.gap?.healedAtMs != null,
    ]) {
      await waitFor(reached, { intervalMs: 1, describe: 'the healing to come so far' });
      await last.fence();
    }
    await last.untilInStep();
    await expectAllEqual();
  });

  it('ends the producer where a person wants to decide', async () => {
    const first = await beginning();
    await first.stop();
    await missAll(first);
    const second = await start({ onGap: 'stop' });
    await second.ended;
    expect(second.failure).toMatchObject({ code: 'TW1106' });
    expect((second.failure as Error).message).toContain(String(first.state.session?.position));
  });
});
