// A topic that somebody deleted is a copy that is gone: the next start of the producer makes it again (promise C).
import { mixedFields, mixedId, Random, waitFor } from '@tailwater/devstack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ mongoTarget: true });
});
afterAll(() => world?.[Symbol.asyncDispose]());

interface Status {
  readonly snapshot: { readonly totals: { readonly state: string } };
}

describe('a topic that was deleted while the producer was down', () => {
  it('is filled again by its next start', async () => {
    const random = new Random(31);
    const orders = (await world.source.client()).db('shop').collection('orders');
    await orders.insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: mixedId(random, n) as never, ...mixedFields(random) })));
    const producer = await world.producer();
    const isDone = async () => (await producer.status<Status>()).snapshot.totals.state === 'done';
    await waitFor(isDone, { describe: 'the first snapshot' });
    await producer.shutdown();
    const topic = `${world.prefix}.shop.orders`;
    await world.kafka.withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      await waitFor(() => admin.listTopics(), { until: (topics) => !topics.includes(topic), describe: 'the topic to go' });
    });
    await producer.start();
    await world.mongoConsumer();
    expect(await world.untilMongoEquals('orders')).toMatchObject({ compared: 500 });
  });
});
