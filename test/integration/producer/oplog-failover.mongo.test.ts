// Promises F and G on a replica set of three: what is read was committed by a majority, and a member that has not caught up
// yet is no gap.
import { type Mongo, type MongoMember, startMongo, waitFor } from '@tailwater/devstack';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChangeStreamSource } from '#producer/source/change-stream/change-stream-source.js';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { OplogSource } from '#producer/source/oplog/oplog-source.js';
import { keptLog } from './support/kept-log.js';
import { Tail } from './support/tail.js';

let mongo: Mongo | undefined;
let client: MongoClient;
/** The members that were asked for the oplog, one for each cursor that was opened. */
const cursors: string[] = [];
let tail: Tail | undefined;
let oplog: OplogSource;

beforeAll(async () => {
  // Fail points hold one member's replication back.
  mongo = await startMongo({ members: 3, args: ['--setParameter', 'enableTestCommands=1'] });
  // The driver looks for a primary to close a lost cursor at, for as long as it is told, before it reports the loss.
  client = new MongoClient(mongo.uri, { monitorCommands: true, serverSelectionTimeoutMS: 3000 });
  client.on('commandStarted', ({ command, address }) => {
    if (command['find'] === 'oplog.rs') cursors.push(address);
  });
  oplog = new OplogSource(client, { uri: mongo.uri, access: {} }, new SourceHealth(keptLog().logger), keptLog().logger);
});

afterEach(async () => {
  await tail?.stop();
  await mongo?.start();
});

afterAll(async () => {
  await client?.close();
  await mongo?.stop();
});

const server = (): Mongo => mongo as Mongo;
const collection = async (): Promise<Collection> => (await server().client()).db('shop').collection('orders');
const numbers = (first: number, count: number) => Array.from({ length: count }, (_, k) => ({ n: first + k }));
const seen = (): unknown[] => tail?.valuesOf('shop.orders') ?? [];
const untilSeen = (expected: unknown[]): Promise<unknown> =>
  waitFor(seen, {
    until: (values) => values.length >= expected.length || tail?.failure !== undefined,
    describe: `${expected.length} entries`,
  });

describe('OplogSource', () => {
  it('hands out nothing that a majority does not hold, and all of it once one does', async () => {
    const orders = await collection();
    await orders.insertOne({ n: 0 }, { writeConcern: { w: 'majority' } });
    tail = new Tail(oplog, await oplog.newestPosition());
    await waitFor(() => tail?.ends.length);
    const primary = await server().primary();
    const others = server().members.filter((member) => member !== primary);
    await Promise.all(others.map((member) => setReplication(member, false)));
    const rounds = tail.ends.length;
    try {
      await orders.insertMany(numbers(1, 5), { writeConcern: { w: 1 } });
      // Two reads that began after the writes found nothing.
      await waitFor(() => (tail?.ends.length ?? 0) >= rounds + 3, { describe: 'further reads' });
      expect(seen()).toEqual([]);
    } finally {
      await Promise.all(others.map((member) => setReplication(member, true)));
    }
    await untilSeen([1, 2, 3, 4, 5]);
    expect(seen()).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on after a step-down and after the death of the primary, without a gap or a repetition', async () => {
    const orders = await collection();
    tail = new Tail(oplog, await oplog.newestPosition());
    await orders.insertMany(numbers(0, 100), { writeConcern: { w: 'majority' } });
    await untilSeen(numbers(0, 100));
    await server().stepDown();
    await orders.insertMany(numbers(100, 100), { writeConcern: { w: 'majority' } });
    await untilSeen(numbers(0, 200));
    await (await server().primary()).kill9();
    await server().primary();
    // The driver tries once more by itself, which an election that is not over may frustrate too; what is there is left alone.
    const upserts = numbers(200, 100).map(({ n }) => ({
      updateOne: { filter: { n }, update: { $setOnInsert: { written: 'after the election' } }, upsert: true },
    }));
    await waitFor(() => orders.bulkWrite(upserts, { writeConcern: { w: 'majority' } }), { describe: 'writes after the election' });
    const expected = Array.from({ length: 300 }, (_, n) => n);
    await untilSeen(expected);
    await server().start();
    expect(tail.failure).toBeUndefined();
    expect(seen()).toEqual(expected);
    const positions = tail.entries.map(({ position }) => position);
    expect(new Set(positions).size).toBe(positions.length);
  });

  it('waits for a member that lags behind the position, and does not take it for a gap', async () => {
    const orders = await collection();
    tail = new Tail(oplog, await oplog.newestPosition());
    const primary = await server().primary();
    const [lagging, other] = server().members.filter((member) => member !== primary) as [MongoMember, MongoMember];
    await setReplication(lagging, false);
    await orders.insertMany(numbers(0, 50), { writeConcern: { w: 'majority' } });
    await untilSeen(numbers(0, 50));
    // Only the member that has not seen those writes is left to read from.
    await Promise.all([primary.kill9(), other.kill9()]);
    await waitFor(() => tail?.failure ?? cursors.at(-1) === lagging.host, { describe: 'a read at the lagging member', timeoutMs: 60_000 });
    expect(tail.failure).toBeUndefined();
    await setReplication(lagging, true);
    await server().start();
    await (await collection()).insertMany(numbers(50, 10), { writeConcern: { w: 'majority' } });
    await untilSeen(numbers(0, 60));
    expect(tail.failure).toBeUndefined();
    expect(seen()).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  it.each(['oplog', 'change-stream'] as const)(
    'reads on from another member when the primary is new and its oplog short: %s',
    async (kind) => {
      const orders = await collection();
      await orders.insertOne({ n: -1 }, { writeConcern: { w: 'majority' } });
      const after = await oplog.newestPosition();
      await orders.insertMany(numbers(0, 20), { writeConcern: { w: 'majority' } });
      const primary = await server().primary();
      const [fresh, other] = server().members.filter((member) => member !== primary) as [MongoMember, MongoMember];
      await fresh.shutdown();
      await fresh.forget();
      await fresh.start();
      await other.shutdown();
      await server().stepDown();
      expect(await server().primary()).toBe(fresh);
      // The driver, too, has to know by now who is the primary: it is that one which is asked first.
      await waitFor(async () => (await client.db('admin').command({ hello: 1 }))['me'] === fresh.host, {
        describe: 'the driver to know the primary',
      });
      const log = keptLog();
      const connection = { uri: server().uri, access: {} };
      const options = { include: ['shop.*'], exclude: [], version: '6.0.5', isMongos: false, postImages: false, isAwaited: () => true };
      const health = new SourceHealth(log.logger);
      const source =
        kind === 'oplog'
          ? new OplogSource(client, connection, health, log.logger)
          : new ChangeStreamSource(client, { ...options, connection }, health, log.logger);
      let read = 0;
      for await (const { entries } of source.read(after, AbortSignal.timeout(60_000))) {
        read += entries.filter((bytes) => bytes.includes('shop.orders') || kind === 'change-stream').length;
        if (read >= 20) break;
      }
      expect(read).toBe(20);
      expect(log.lines.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('another member still has it and is read now'));
    },
  );
});

/** Whether the member fetches the oplog of others. */
async function setReplication(member: MongoMember, on: boolean): Promise<void> {
  const mode = on ? 'off' : 'alwaysOn';
  await member.withClient((client) => client.db('admin').command({ configureFailPoint: 'stopReplProducer', mode }));
}
