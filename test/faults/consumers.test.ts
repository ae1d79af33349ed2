// Consumers come and go, targets stop: lag, and nothing else.
import { countDifferences, LiveMix, mixedFields, mixedId, type PipelineProcess, Random, waitFor } from '@tailwater/devstack';
import { Position } from '@tailwater/schema';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ elasticsearch: true, mongoTarget: true });
});
beforeEach(() => world.reset());
afterAll(() => world?.[Symbol.asyncDispose]());

async function load(random: Random, documents: number) {
  const orders = (await world.source.client()).db('shop').collection('orders');
  await orders.insertMany(Array.from({ length: documents }, (_, n) => ({ _id: mixedId(random, n) as never, ...mixedFields(random) })));
  return orders;
}

interface ConsumerStatus {
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

describe('two consumers of one group', () => {
  it('share the partitions, and one does it all when the other is killed', async () => {
    const random = new Random(11);
    const orders = await load(random, 2000);
    await world.producer();
    const [first, second] = await Promise.all([
      world.mongoConsumer('--session-timeout', '6'),
      world.mongoConsumer('--session-timeout', '6'),
    ]);
    const partitionsOf = async (consumer: typeof first) => (await consumer.status<ConsumerStatus>()).partitions.length;
    await waitFor(async () => [await partitionsOf(first), await partitionsOf(second)], {
      until: ([left, right]) => left === 4 && right === 4,
      describe: 'four partitions each',
      timeoutMs: 60_000,
    });
    const mix = new LiveMix([orders], random, 10_000, { rate: 300 });
    await mix.adopt(500);
    const stop = new AbortController();
    const writing = mix.run(stop.signal);
    await waitFor(() => mix.operations, { until: (operations) => operations > 300, describe: 'some writes' });
    await second.kill9();
    await waitFor(() => partitionsOf(first), { until: (partitions) => partitions === 8, describe: 'all partitions', timeoutMs: 60_000 });
    stop.abort();
    await writing;
    const { compared } = await world.untilMongoEquals('orders');
    expect(compared).toBe(await orders.countDocuments({}));
  });
});

describe('a consumer that is frozen for longer than its session', () => {
  it('applies nothing more of what another has taken over, to a target that compares no versions', async () => {
    const [documents, rounds] = [50, 100];
    const orders = (await world.source.client()).db('shop').collection<{ _id: number; n: number }>('orders');
    await orders.insertMany(Array.from({ length: documents }, (_, _id) => ({ _id, n: 0 })));
    await world.producer();
    await world.mongoConsumer().then(async (first) => {
      await world.untilMongoEquals('orders');
      await first.shutdown();
    });
    for (let n = 1; n <= rounds; n++) {
      await orders.bulkWrite(Array.from({ length: documents }, (_, _id) => ({ updateOne: { filter: { _id }, update: { $set: { n } } } })));
    }
    const applied = async (consumer: PipelineProcess) => (await consumer.status<{ counts: { applied: number } }>()).counts.applied;
    // One change a request: it has read all of them long before it has applied them.
    const frozen = await world.mongoConsumer('--session-timeout', '6', '--batch-size', '1', '--in-flight', '1');
    await waitFor(() => applied(frozen), { until: (count) => count > documents, describe: 'some of them', intervalMs: 5 });
    await frozen.pause();
    const next = await world.mongoConsumer('--session-timeout', '6');
    await world.untilMongoEquals('orders');
    expect(await applied(next)).toBeGreaterThan(0);
    await frozen.resume();
    await waitFor(() => frozen.status<{ membership: { rebalances: number } }>(), {
      until: ({ membership }) => membership.rebalances > 1,
      describe: 'the frozen one to have joined again',
      timeoutMs: 60_000,
    });
    expect(countDifferences(await world.mongoDifferences('orders'))).toBe(0);
    await world.untilMongoEquals('orders');
  });
});

describe('a consumer that was stopped', () => {
  it('goes on where it was and loses nothing', async () => {
    const random = new Random(12);
    const orders = await load(random, 1000);
    await world.producer();
    const consumer = await world.mongoConsumer();
    await world.untilMongoEquals('orders');
    await consumer.shutdown();
    const mix = new LiveMix([orders], random, 10_000);
    await mix.adopt(500);
    for (let turn = 0; turn < 20; turn++) await mix.step(50);
    await consumer.start();
    const { compared } = await world.untilMongoEquals('orders');
    expect(compared).toBe(await orders.countDocuments({}));
  });
});

describe('an Elasticsearch that is down', () => {
  it('costs lag in its own group: the checkpoint goes on moving, and MongoDB stays in step', async () => {
    const random = new Random(13);
    const orders = await load(random, 500);
    const producer = await world.producer();
    await Promise.all([world.elasticsearchConsumer(), world.mongoConsumer()]);
    await world.untilElasticsearchEquals('orders');
    const positionOf = async () => Position.parse(String((await producer.status<{ position: string }>()).position)) as Position;
    await world.elasticsearch.shutdown();
    const before = await positionOf();
    const mix = new LiveMix([orders], random, 10_000);
    await mix.adopt(200);
    for (let turn = 0; turn < 10; turn++) await mix.step(50);
    await waitFor(positionOf, { until: (position) => position.compare(before) > 0, describe: 'the checkpoint to move' });
    await world.untilMongoEquals('orders');
    await world.elasticsearch.start();
    const { compared } = await world.untilElasticsearchEquals('orders');
    expect(compared).toBe(await orders.countDocuments({}));
  });
});
