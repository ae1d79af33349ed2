// Promise F with the real commands: MongoDB discards changes that a producer which was down had not read. Its next start heals
// the gap by itself, also when it is killed in the middle of that, and the target ends equal to the source.
import { mixedFields, mixedId, Random, waitFor } from '@tailwater/devstack';
import type { Collection, Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '../support/pipeline-world.js';
import { runCommand } from '../support/run-command.js';

interface Status {
  readonly position: string | null;
  readonly counts: { readonly snapshotPublished: number };
  readonly snapshot: { readonly totals: { readonly state: string } };
  readonly sweeps: readonly object[];
  readonly gap: { readonly from: string; readonly detectedAtMs: number; readonly healedAtMs: number | null } | null;
}

let world: PipelineWorld;
let client: MongoClient;
beforeAll(async () => {
  // Without the delay a capped oplog is kept back to the storage engine's last checkpoint, a minute ago.
  world = await PipelineWorld.start({ source: { oplogSizeMb: 2, syncDelaySeconds: 1 }, mongoTarget: true });
  client = await world.source.client();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const collection = (name: string, database = 'shop'): Collection => client.db(database).collection(name);

/** Writes, to where nobody looks, until the oplog begins behind `t`. */
async function rollOver(t: number): Promise<void> {
  const oplog = client.db('local').collection('oplog.rs');
  await waitFor(
    async () => {
      await collection('filler', 'elsewhere').insertMany(Array.from({ length: 20 }, () => ({ bytes: Buffer.alloc(20_000, 1) })));
      const oldest = await oplog.find({}, { projection: { ts: 1 }, sort: { $natural: 1 }, limit: 1 }).next();
      return oldest?.['ts'].t > t;
    },
    { describe: 'the oplog to roll over', timeoutMs: 120_000, intervalMs: 10 },
  );
}

describe('an oplog that rolled past the checkpoint of a producer that was down', () => {
  it('is healed by its next start, through a kill in the middle of it', async () => {
    const random = new Random(41);
    const load = (name: string, count: number, first = 0): Promise<unknown> =>
      collection(name).insertMany(
        Array.from({ length: count }, (_, n) => ({
          _id: mixedId(random, first + n),
          ...mixedFields(random, 200),
        })) as unknown as Document[],
      );
    await Promise.all([load('orders', 8000), load('items', 500), load('customers', 500)]);
    const producer = await world.producer('--chunk-documents', '500');
    const status = () => producer.status<Status>();
    await world.mongoConsumer();
    for (const name of ['orders', 'items', 'customers']) await world.untilMongoEquals(name);
    await producer.kill9();

    const ids = await collection('orders')
      .find({}, { projection: { _id: 1 } })
      .map(({ _id }) => _id)
      .toArray();
    await collection('orders').deleteMany({ _id: { $in: ids.slice(0, 3000) } });
    await collection('orders').updateMany({ _id: { $in: ids.slice(3000, 3500) } }, { $set: { changed: true } });
    await load('orders', 200, 100_000);
    await collection('items').drop();
    await collection('customers').rename('clients');
    await rollOver(Math.ceil(Date.now() / 1000));

    await producer.start();
    await waitFor(async () => (await status()).counts.snapshotPublished > 0, { describe: 'the healing to begin', intervalMs: 20 });
    await producer.kill9();
    await collection('orders').deleteMany({ _id: { $in: ids.slice(4000, 4100) } });
    await producer.start();
    const { gap } = await waitFor(status, { until: (each) => each.gap?.healedAtMs != null, describe: 'the gap to be healed' });
    expect((await world.untilMongoEquals('orders')).compared).toBe(8000 - 3000 - 100 + 200);
    expect((await world.untilMongoEquals('clients')).compared).toBe(500);
    const target = (await world.target.client()).db('shop');
    for (const name of ['items', 'customers']) {
      await waitFor(() => target.collection(name).countDocuments(), { until: (count) => count === 0, describe: `${name} to be gone` });
    }
    const args = ['--mongo', world.source.uri, '--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix];
    const { stdout } = await runCommand('producer', ['status', ...args, '--json']);
    const report = JSON.parse(stdout) as { gap: object; sweeps: { namespace: string; state: string; tombstones: number }[] };
    expect(report.gap).toMatchObject({ from: gap?.from, healedAtMs: gap?.healedAtMs });
    expect(new Set(report.sweeps.map(({ namespace, state }) => `${namespace} ${state}`))).toEqual(
      new Set(['shop.orders done', 'shop.items done', 'shop.customers done']),
    );
  });
});
