// Promise F, in time: an oplog that rolls on while the checkpoint stands still is spoken of before the checkpoint is lost.
import { type Mongo, startMongo, waitFor } from '@tailwater/devstack';
import { createMetrics } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeadroomWatch } from '#producer/headroom/headroom-watch.js';
import { logCopyForecast } from '#producer/headroom/preflight.js';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import { keptLog } from './support/kept-log.js';

let mongo: Mongo | undefined;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startMongo({ auth: true, oplogSizeMb: 1, syncDelaySeconds: 1 });
  client = await mongo.client();
});

afterAll(() => mongo?.stop());

/** A client of a user with these privileges and no others. */
async function userWith(name: string, privileges: object[]): Promise<MongoClient> {
  const admin = client.db('admin');
  await admin.command({ createRole: name, privileges, roles: [] });
  await admin.command({ createUser: name, pwd: 'secret', roles: [name] });
  return new MongoClient((mongo as Mongo).uriFor({ username: name, password: 'secret' }));
}

describe('HeadroomWatch', () => {
  it('speaks once at 50, 25 and 10 percent, and when it has recovered', async () => {
    const { logger, lines } = keptLog();
    const metrics = createMetrics();
    let position = await newestMajorityPosition(client);
    const watch = new HeadroomWatch({ client, replicaSet: 'rs0', position: () => position }, metrics, logger);
    const start = await watch.measure();
    expect(start).toMatchObject({ leftPercent: expect.any(Number), maxBytes: 1024 * 1024, note: null });
    const said = (): unknown[] => lines.filter(({ level }) => level === 'warn').map(({ msg }) => /Less than (\d+) %/.exec(msg)?.[1]);
    const orders = client.db('shop').collection('orders');
    await waitFor(
      async () => {
        await orders.insertMany(Array.from({ length: 60 }, () => ({ text: 'x'.repeat(1000) })));
        return watch.measure();
      },
      { until: (now) => (now?.headroomSeconds ?? 0) < 0, describe: 'the oplog to roll over', intervalMs: 200, timeoutMs: 120_000 },
    );
    expect(said().at(-1)).toBe('10');
    expect(new Set(said()).size).toBe(said().length);
    expect(lines.find(({ level }) => level === 'warn')).toMatchObject({
      code: 'TW1151',
      hint: expect.stringContaining('replSetResizeOplog'),
    });
    position = await newestMajorityPosition(client);
    expect(await watch.measure()).toMatchObject({ leftPercent: 100 });
    expect(lines.filter(({ msg }) => msg.startsWith('The oplog headroom is sufficient again')).length).toBe(1);
    expect((await metrics.render()).text).toMatch(/tailwater_producer_headroom_percent\{source="rs0"\} 100/);
  });

  it('does with time where the size may not be read, and without anything where the oplog may not', async () => {
    const { logger, lines } = keptLog();
    const position = (): Position => new Position(2_000_000_000, 1);
    const oplog = { resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find'] };
    const finder = await userWith('finder', [oplog]);
    const stranger = await userWith('stranger', [{ resource: { db: 'shop', collection: '' }, actions: ['find'] }]);
    try {
      const watch = (of: MongoClient) => new HeadroomWatch({ client: of, replicaSet: 'rs0', position }, createMetrics(), logger);
      expect(await watch(finder).measure()).toMatchObject({ usedBytes: null, leftPercent: 100, note: expect.stringContaining('size') });
      const blind = watch(stranger);
      expect([await blind.measure(), await blind.measure()]).toEqual([undefined, undefined]);
      expect(lines.map(({ msg }) => msg).filter((msg) => msg.includes('may not read'))).toHaveLength(1);
      await logCopyForecast(stranger, ['shop.orders'], logger);
      expect(lines.at(-1)?.msg).toMatch(/^About [\d,]+ documents are to be copied\./);
    } finally {
      await Promise.all([finder.close(), stranger.close()]);
    }
  });
});

describe('announceCopy', () => {
  it('says how long a copy takes, what the oplog covers, and that it does not matter', async () => {
    const { logger, lines } = keptLog();
    await logCopyForecast(client, ['shop.orders', 'shop.gone'], logger);
    expect(lines[0]?.msg).toMatch(/^About [\d,]+ documents, .*B are to be copied\. .*the oplog covers .*The tail is read at the same time/);
    await logCopyForecast(client, [], logger);
    expect(lines.length).toBe(1);
  });
});
