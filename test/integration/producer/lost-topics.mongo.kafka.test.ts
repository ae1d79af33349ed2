// Promise C: a topic that somebody deletes, whether or not another takes its name, is a copy that is gone. It is filled again, whenever that happens.
import { compareByKey, type Kafka, type Mongo, readRawDocuments, startStack, waitFor } from '@tailwater/devstack';
import { createKafka } from '@tailwater/runtime';
import type { Collection, Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import { readTopic } from '#test/support/read-topic.js';
import { foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

const COMPACTED = { 'cleanup.policy': 'compact', 'max.message.bytes': 20 * 1024 * 1024 };

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let client: MongoClient;
let tests = 0;
const pipelines: RunningPipeline[] = [];

beforeAll(async () => {
  const stack = await startStack({ mongo: {}, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
});

beforeEach(async () => {
  tests += 1;
  await client.db('shop').dropDatabase();
  await orders().insertMany(documents(300));
  await client.db('shop').collection('others').insertOne({});
});

afterEach(async () => {
  await Promise.all(pipelines.splice(0).map((pipeline) => pipeline.stop()));
});

afterAll(() => stop?.());

const orders = (): Collection => client.db('shop').collection('orders');
const documents = (count: number): Document[] => Array.from({ length: count }, (_, n) => ({ _id: n as never, n }));
const topic = (): string => `t${tests}.shop.orders`;

async function start(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  const given = { prefix: `t${tests}`, include: ['shop.*'], partitions: 2, topicLookMs: 100, ...options };
  const pipeline = await RunningPipeline.start(mongo, kafka, given);
  pipelines.push(pipeline);
  return pipeline;
}

async function started(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  const pipeline = await start(options);
  await pipeline.untilInStep();
  return pipeline;
}

async function deleteTopic(): Promise<void> {
  await kafka.withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic()] });
    await waitFor(() => admin.listTopics(), { until: (topics) => !topics.includes(topic()), describe: 'the topic to go' });
  });
}

async function makeAnew(partitions = 2): Promise<void> {
  await deleteTopic();
  await kafka.createTopic(topic(), { partitions, config: COMPACTED });
}

const isTold = ({ log }: RunningPipeline): boolean => log.some(({ code }) => code === 'TW1223');

/** The loss is noticed, and everything is copied again. */
async function untilFilled(pipeline: RunningPipeline): Promise<void> {
  await waitFor(() => isTold(pipeline), { describe: 'the loss to be noticed' });
  await pipeline.untilInStep();
}

async function expectEqual(size: number): Promise<void> {
  const stored = await readRawDocuments(client, 'shop', 'orders');
  expect(stored.size).toBe(size);
  const { documents: published } = await foldTopic(kafka.brokers, topic());
  const differences = compareByKey(stored, published, (a, b) => a.equals(b));
  expect(differences).toEqual({ compared: size, missing: [], extra: [], different: [] });
}

describe('a topic that is lost while the producer runs', () => {
  it('is filled again when another has its name', async () => {
    const pipeline = await started();
    await makeAnew();
    await orders().updateOne({ _id: 1 as never }, { $set: { n: 'later' } });
    await untilFilled(pipeline);
    await expectEqual(300);
  });

  it('is made and filled again when nobody writes to the collection', async () => {
    const pipeline = await started();
    await deleteTopic();
    await untilFilled(pipeline);
    await expectEqual(300);
  });

  it('is made and filled again at once when somebody writes to the collection', async () => {
    const pipeline = await started({ topicLookMs: 600_000 });
    await deleteTopic();
    const since = performance.now();
    await orders().insertOne({ _id: 'later' as never });
    await untilFilled(pipeline);
    await expectEqual(301);
    expect(performance.now() - since).toBeLessThan(25_000);
  });

  it('is filled by whoever comes next, when the producer is killed while it fills it', async () => {
    const pipeline = await started();
    await pipeline.stop();
    await makeAnew();
    const slow = await start({ chunkDocuments: 10, snapshotRate: 20, topicLookMs: 600_000 });
    await waitFor(() => slow.counts.snapshotPublished >= 10, { describe: 'the first documents' });
    await slow.fence();
    await slow.stop();
    expect(slow.counts.snapshotPublished).toBeLessThan(300);
    await started();
    await expectEqual(300);
  });
});

describe('a topic that is lost while no producer runs', () => {
  it('is filled, and swept of what it should not hold, when another has its name', async () => {
    const first = await started();
    const old = await readTopic(kafka.brokers, topic());
    await orders().deleteMany({ n: { $lt: 20 } });
    await first.untilInStep();
    await first.stop();
    await makeAnew();
    const producer = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger).producer();
    await producer.connect();
    const messages = old.map(({ key, value, partition }) => ({ key, value, partition }));
    await producer.send({ topic: topic(), messages });
    await producer.disconnect();
    const next = await started();
    await expectEqual(280);
    expect(isTold(next)).toBe(true);
    await next.stop();
    expect(isTold(await started())).toBe(false);
  });
});

describe('a namespace that is left out for a time', () => {
  it('is copied and swept when it is included again', async () => {
    // Which copies nothing that is new to it.
    const snapshot = 'when-needed';
    await (await started({ snapshot })).stop();
    const without = await started({ snapshot, include: ['shop.others'] });
    await orders().deleteMany({ n: { $lt: 10 } });
    await orders().updateMany({ n: { $gt: 290 } }, { $set: { changed: true } });
    await orders().insertOne({ _id: 'new' as never });
    await without.untilInStep();
    expect(without.state.session?.sweeps).toEqual([]);
    await without.stop();
    // Nothing is done to it while it is left out, however often the producer starts.
    await (await started({ snapshot, include: ['shop.others'] })).stop();
    await (await started({ snapshot })).stop();
    await expectEqual(291);
    const settled = await started({ snapshot });
    expect(settled.counts.snapshotRead).toBe(0);
  });
});

describe('the topic of the checkpoints', () => {
  it('is whole again when it is deleted and made anew while the producer runs', async () => {
    const first = await started();
    const checkpoints = `t${tests}.checkpoints`;
    await kafka.withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [checkpoints] });
      await waitFor(() => admin.listTopics(), { until: (topics) => !topics.includes(checkpoints), describe: 'the topic to go' });
    });
    await kafka.createTopic(checkpoints, { partitions: 1, config: COMPACTED });
    await orders().updateOne({ _id: 1 as never }, { $set: { n: 'later' } });
    await waitFor(() => first.log.some(({ msg }) => msg.includes('was deleted and recreated')), { describe: 'the loss to be noticed' });
    await first.untilInStep();
    await first.stop();
    expect(first.failure).toBeUndefined();
    const second = await started();
    expect(second.counts.snapshotRead).toBe(0);
    expect(second.counts.sweepRead).toBe(0);
    await expectEqual(300);
  });
});

describe('the topic of the signals', () => {
  const ask = async (count: number): Promise<void> => {
    const kafkaClient = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger);
    const body = { kind: 'refresh', namespace: 'shop.orders', ids: [1] } as const;
    for (let n = 0; n < count; n += 1) await writeSignal(kafkaClient, `t${tests}.signals`, { ...body, id: `${n}`, askedAtMs: 0 });
  };
  const makeSignalsAnew = async (): Promise<void> => {
    const name = `t${tests}.signals`;
    await kafka.withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [name] });
      await waitFor(() => admin.listTopics(), { until: (topics) => !topics.includes(name), describe: 'the topic to go' });
    });
    await kafka.createTopic(name, { partitions: 1 });
  };
  const executed = ({ log }: RunningPipeline): number => log.filter(({ msg }) => msg === 'Documents were refreshed').length;
  const untilExecuted = (pipeline: RunningPipeline, count: number) =>
    waitFor(() => executed(pipeline), { describe: (done) => `${count} signals, not ${done}`, until: (done) => done === count });

  it('that is made anew has signals that are all executed, those too whose offsets were executed before; none is repeated by a restart', async () => {
    const first = await started();
    await ask(3);
    await untilExecuted(first, 3);
    await makeSignalsAnew();
    await ask(5);
    await untilExecuted(first, 8);
    await first.stop();
    await makeSignalsAnew();
    await ask(7);
    const second = await started();
    await untilExecuted(second, 7);
    await second.stop();
    const third = await started();
    await ask(1);
    await untilExecuted(third, 1);
  });
});
