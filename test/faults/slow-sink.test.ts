// Why this project exists: a target far slower than the writes, and an oplog that rolls over several times meanwhile.
import { Random, waitFor } from '@tailwater/devstack';
import { Position } from '@tailwater/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { ThrottlingProxy } from '#test/support/throttling-proxy.js';

const WRITES = 20_000;
const BODY_BYTES = 1000;
const BATCH = 200;
/** The line to the target carries about 200 documents of 1 KB a second. */
const BYTES_A_SECOND = 200 * (BODY_BYTES + 80);
const OPLOG_MB = 3;

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ source: { oplogSizeMb: OPLOG_MB, syncDelaySeconds: 1 }, mongoTarget: true });
});
afterAll(() => world?.[Symbol.asyncDispose]());

interface ProducerStatus {
  readonly position: string;
  readonly oplog: { readonly oldest: string; readonly headroomSeconds: number };
  readonly counts: { readonly eventsPublished: number };
}

describe('a target that takes 200 documents a second', () => {
  it('never costs the producer its place in an oplog that rolls over several times, and ends equal', async () => {
    await using proxy = await ThrottlingProxy.start(world.target.port, BYTES_A_SECOND);
    const random = new Random(21);
    const orders = (await world.source.client()).db('shop').collection('orders');
    await orders.insertOne({ n: -1 });
    const producer = await world.producer();
    await world.mongoConsumerThrough(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
    const status = () => producer.status<ProducerStatus>();
    const start = Position.parse(
      (await waitFor(status, { until: ({ position }) => position !== null, describe: 'a position' })).position,
    ) as Position;
    const begunAtMs = performance.now();
    for (let from = 0; from < WRITES; from += BATCH) {
      await orders.insertMany(Array.from({ length: BATCH }, (_, n) => ({ n: from + n, body: random.text(BODY_BYTES) })));
    }
    const published = await waitFor(status, {
      until: ({ counts }) => counts.eventsPublished >= WRITES,
      describe: (last) => `all writes in Kafka, ${last?.counts.eventsPublished} are`,
      timeoutMs: 120_000,
    });
    const publishedSeconds = (performance.now() - begunAtMs) / 1000;
    // The target has had no time to take them: at 200 a second 20,000 need 100 seconds.
    const copied = await (await world.target.client()).db('shop').collection('orders').countDocuments({});
    expect(copied).toBeLessThan(WRITES);
    // The entries that the producer began with are gone: the oplog has rolled over behind it.
    await waitFor(status, {
      until: ({ oplog }) => (Position.parse(oplog.oldest) as Position).compare(start) > 0,
      describe: 'the oplog to roll over',
      timeoutMs: 90_000,
    });
    expect(published.oplog.headroomSeconds).toBeGreaterThanOrEqual(0);
    const { compared } = await world.untilMongoEquals('orders');
    expect(compared).toBe(WRITES + 1);
    expect(publishedSeconds).toBeLessThan(100);
  });
});
