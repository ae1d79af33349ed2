// A snapshot while the application goes on writing, and across a kill -9 in its middle.
import { LiveMix, mixedFields, mixedId, type PipelineProcess, Random, waitFor } from '@tailwater/devstack';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

const DOCUMENTS = 100_000;
const INSERT_BATCH = 5000;
const WRITES_A_SECOND = 1000;

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ source: { oplogSizeMb: 500 }, mongoTarget: true });
});
beforeEach(() => world.reset());
afterAll(() => world?.[Symbol.asyncDispose]());

interface Status {
  readonly snapshot: { readonly totals: { readonly state: string; readonly documents: number } };
}

const snapshotOf = async (producer: PipelineProcess) => (await producer.status<Status>()).snapshot.totals;

describe('a snapshot of 100,000 documents with ids of eight types', () => {
  it('is complete while 1,000 writes a second go on, and across a kill -9 in its middle', async () => {
    const random = new Random(1);
    const orders = (await world.source.client()).db('shop').collection('orders');
    for (let from = 0; from < DOCUMENTS; from += INSERT_BATCH) {
      await orders.insertMany(
        Array.from({ length: INSERT_BATCH }, (_, n) => ({ _id: mixedId(random, from + n) as never, ...mixedFields(random, 450) })),
      );
    }
    const mix = new LiveMix([orders], random, DOCUMENTS, { rate: WRITES_A_SECOND, documentBytes: 450 });
    await mix.adopt(20_000);
    const stop = new AbortController();
    const writing = mix.run(stop.signal);
    // Small chunks: more of them lie in the way of the writes, and the kill meets the snapshot for certain.
    const producer = await world.producer('--chunk-documents', '1000');
    await world.mongoConsumer();
    const before = await waitFor(() => snapshotOf(producer), {
      until: ({ documents }) => documents >= DOCUMENTS / 4,
      describe: 'a quarter of the snapshot',
      timeoutMs: 120_000,
    });
    expect(before.state).toBe('running');
    await producer.kill9();
    await producer.start();
    const resumed = await waitFor(() => snapshotOf(producer), {
      until: ({ documents }) => documents > 0,
      describe: 'the snapshot to go on',
    });
    // It went on where it was instead of beginning anew: not more than the chunks under way were lost.
    expect(resumed.documents).toBeGreaterThanOrEqual(before.documents - 5000);
    await waitFor(() => snapshotOf(producer), {
      until: ({ state }) => state === 'done',
      describe: 'the end of the snapshot',
      timeoutMs: 150_000,
    });
    stop.abort();
    await writing;
    expect(mix.operations).toBeGreaterThan(1000);
    const { compared } = await world.untilMongoEquals('orders');
    expect(compared).toBe(await orders.countDocuments({}));
  });
});
