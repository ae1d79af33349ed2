// kill -9 of the producer and of the consumers at random moments of a live mix, ten times (promises A to D), on three brokers:
// the targets end equal to the source, by content.
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveMix, mixedFields, mixedId, type PipelineProcess, Random } from '@tailwater/devstack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

const KILLS = 10;
const COLLECTIONS = ['orders', 'customers'] as const;
const SEED = 7;

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ brokers: 3, elasticsearch: true, mongoTarget: true });
});
afterAll(() => world?.[Symbol.asyncDispose]());

describe('ten kills at random moments', () => {
  it('lose nothing and leave nothing behind', async () => {
    const random = new Random(SEED);
    const shop = (await world.source.client()).db('shop');
    const collections = COLLECTIONS.map((name) => shop.collection(name));
    for (const [index, collection] of collections.entries()) {
      await collection.insertMany(
        Array.from({ length: 3000 }, (_, n) => ({ _id: mixedId(random, index * 3000 + n) as never, ...mixedFields(random) })),
      );
    }
    const producer = await world.producer();
    const victims: PipelineProcess[] = [
      producer,
      await world.elasticsearchConsumer('--session-timeout', '6'),
      await world.mongoConsumer('--session-timeout', '6'),
    ];
    const mix = new LiveMix(collections, random, 1_000_000, { rate: 400 });
    await mix.adopt(1000);
    const stop = new AbortController();
    const writing = mix.run(stop.signal);
    for (let kill = 0; kill < KILLS; kill++) {
      // The moments are random on purpose: whatever line it meets, nothing may be lost there.
      await sleep(100 + random.below(1500));
      const victim = victims[kill % 2 === 0 ? 0 : 1 + ((kill >> 1) % 2)] as PipelineProcess;
      await victim.kill9();
      await victim.start();
    }
    stop.abort();
    await writing;
    for (const name of COLLECTIONS) {
      const inMongo = await world.untilMongoEquals(name);
      const inElasticsearch = await world.untilElasticsearchEquals(name);
      expect(inMongo.compared).toBeGreaterThan(1000);
      expect(inElasticsearch.compared).toBe(inMongo.compared);
    }
  });
});
