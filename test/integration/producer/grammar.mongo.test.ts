// What a real server writes into its oplog, against what it says of it in a change stream, and against its collections
// (promises C and E): random operations, transactions of every kind, and the commands that move documents without naming them.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { findId, Position, type RawValue, recordKey } from '@tailwater/schema';
import fc from 'fast-check';
import { BSON, type Db, MongoClient, type Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TransactionEntries } from '#producer/source/oplog/transaction-entries.js';
import { entry, T } from '#test/unit/producer/support/entries.js';
import { readChangeStream, type StreamedEvent } from './support/change-stream.js';
import { OplogTail, type PublishedEvent } from './support/oplog-tail.js';
import { carryOut, operation, prepare } from './support/random-operations.js';

const SENTINELS = 'sentinels';

/** Small entries, so that small transactions are chains; prepared transactions without a mongos. */
const SMALL_ENTRIES = ['--setParameter', 'maxNumberOfTransactionOperationsInSingleOplogEntry=3', '--setParameter', 'enableTestCommands=1'];

let mongo: Mongo | undefined;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startMongo({ oplogSizeMb: 256, args: SMALL_ENTRIES });
  client = new MongoClient(mongo.uri);
});

afterAll(async () => {
  await client?.close();
  await mongo?.stop();
});

const oplog = () => client.db('local').collection('oplog.rs');

async function newestEntry(): Promise<Timestamp> {
  const newest = await oplog()
    .find({}, { sort: { $natural: -1 }, limit: 1, projection: { ts: 1 } })
    .next();
  return newest?.['ts'] as Timestamp;
}

const positionOf = (ts: Timestamp): Position => new Position(ts.getHighBitsUnsigned(), ts.getLowBitsUnsigned());

async function documentsOf(db: Db, collection: string): Promise<Map<string, Buffer>> {
  const found = (await db.collection(collection).find({}, { raw: true }).toArray()) as unknown as Uint8Array[];
  const documents = found.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return new Map(documents.map((document) => [keyOf(document), document]));
}

function keyOf(document: Buffer): string {
  const { type, start } = findId(document) as RawValue;
  return recordKey(document, type, start);
}

const sorted = (documents: ReadonlyMap<string, Buffer> = new Map()) =>
  [...documents].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, document]) => [key, document.toString('base64')]);

const described = ({ namespace, op, key, position }: { namespace: string; op: string; key: string; position: Position }) =>
  `${op} ${namespace} ${key} at ${position.t}:${position.i}`;

/** Each event of the stream has its own, in the same order; only an update may be missing, when a delete of its document follows. */
function expectSameEvents(
  published: readonly PublishedEvent[],
  streamed: readonly StreamedEvent[],
): { updates: number; superseded: number } {
  let next = 0;
  const seen = { updates: 0, superseded: 0 };
  for (const [index, event] of streamed.entries()) {
    const own = published[next];
    if (own === undefined || described(own) !== described(event)) {
      expect(event.op, `${described(event)} is missing, the next is ${own && described(own)}`).toBe('update');
      expect(
        streamed.slice(index).some(({ op, namespace, key }) => op === 'delete' && namespace === event.namespace && key === event.key),
      ).toBe(true);
      seen.superseded += 1;
      continue;
    }
    next += 1;
    if (event.document !== undefined) expect(own.document?.equals(event.document)).toBe(true);
    if (event.update === undefined) expect(own.updateDescription).toBeNull();
    else {
      seen.updates += 1;
      expect(readable(own.updateDescription)).toEqual(readable(event.update));
    }
  }
  expect(published.slice(next).map(described)).toEqual([]);
  return seen;
}

function readable(update: StreamedEvent['update'] | null) {
  if (update == null) return update;
  const { updatedFields, removedFields, truncatedArrays } = update;
  return { updatedFields: updatedFields.toString('latin1'), removedFields, truncatedArrays };
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, n) => ({ _id: from + n }));

/** Without the operations, which are pages: `fc.assert` runs them again with the seed and the path. */
function briefly<T>({ failed, seed, counterexamplePath, errorInstance }: fc.RunDetails<T>): void {
  if (failed) throw new Error(`Seed ${seed}, path ${counterexamplePath}`, { cause: errorInstance });
}

describe('random operations', () => {
  it('are the events of a change stream, and leave the collections behind', async () => {
    const seen = { runs: 0, taken: 0, events: 0, updates: 0, superseded: 0, truncated: 0, inTransactions: 0, chained: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('a', 'b'), operation), { minLength: 120, maxLength: 160 }), async (operations) => {
        const db = client.db(`random${seen.runs++}`);
        const tail = await OplogTail.start(client, { include: [`${db.databaseName}.*`] });
        const start = await newestEntry();
        for (const [collection, what] of operations) if (await carryOut(client, db.collection(collection), what)) seen.taken += 1;
        await db.collection(SENTINELS).insertOne({});
        const streamed = await readChangeStream(db, start, SENTINELS);
        expect(await tail.finish()).toBeUndefined();
        const published = tail.events.filter(({ namespace }) => !namespace.endsWith(SENTINELS));
        let superseded = 0;
        for (const collection of ['a', 'b']) {
          const name = `${db.databaseName}.${collection}`;
          const isOwn = ({ namespace }: { namespace: string }) => namespace === name;
          const same = expectSameEvents(published.filter(isOwn), streamed.filter(isOwn));
          expect(sorted(tail.fold().get(name))).toEqual(sorted(await documentsOf(db, collection)));
          superseded += same.superseded;
          seen.updates += same.updates;
        }
        const { counts } = tail;
        expect(counts.unknownEntries).toEqual({});
        expect(counts.eventsRead).toBe(counts.eventsPublished + counts.eventsSuperseded + counts.eventsFiltered);
        expect(counts.eventsSuperseded).toBe(superseded);
        seen.superseded += superseded;
        seen.events += streamed.length;
        seen.inTransactions += published.filter(({ transaction }) => transaction !== null).length;
        seen.truncated += published.filter((event) => (event.updateDescription?.truncatedArrays.length ?? 0) > 0).length;
        seen.chained += await oplog().countDocuments({ ts: { $gt: start }, 'o.partialTxn': true });
      }),
      { numRuns: 12, endOnFailure: true, reporter: briefly },
    );
    // The operations did what they are for.
    expect(seen.taken).toBeGreaterThan(700);
    expect(Math.min(seen.updates, seen.inTransactions)).toBeGreaterThan(250);
    expect(Math.min(seen.truncated, seen.chained)).toBeGreaterThan(10);
    expect(seen.superseded).toBeGreaterThan(0);
  });
});

describe('a transaction in several entries', () => {
  const idsOf = (events: readonly PublishedEvent[]) =>
    events.map(({ key, position, transaction }) => [Number(key), position.ordinal, transaction?.index]);
  const inOrder = (from: number, count: number) => Array.from({ length: count }, (_, n) => [from + n, n, n]);

  it('is read as a whole by a producer that starts between any two of them', async () => {
    const db = client.db('between');
    await db.createCollection('orders');
    const start = await newestEntry();
    await client.withSession((session) =>
      session.withTransaction(() => db.collection<{ _id: number }>('orders').insertMany(numbers(0, 10), { session })),
    );
    const entries = await oplog()
      .find({ ts: { $gte: start }, $or: [{ ts: start }, { 'o.applyOps': { $exists: true } }] })
      .toArray();
    expect(entries.map(({ o }) => o?.['partialTxn'])).toEqual([undefined, true, true, true, undefined]);
    const end = positionOf(entries.at(-1)?.['ts']);
    for (const { ts } of entries.slice(0, -1)) {
      const tail = new OplogTail(client, { include: ['between.*'], after: positionOf(ts) });
      expect(await tail.finish()).toBeUndefined();
      expect(idsOf(tail.events)).toEqual(inOrder(0, 10));
      expect(new Set(tail.events.map(({ position: { t, i } }) => `${t}:${i}`))).toEqual(new Set([`${end.t}:${end.i}`]));
      expect(new Set(tail.events.map(({ transaction }) => transaction?.id)).size).toBe(1);
    }
  });

  it('waits for the decision when it is prepared, also across a restart', async () => {
    const db = client.db('prepared');
    const orders = db.collection<{ _id: number }>('orders');
    await db.createCollection('orders');
    const before = await OplogTail.start(client, { include: ['prepared.*'] });
    const [committed, aborted] = [client.startSession(), client.startSession()];
    for (const [session, from] of [
      [committed, 0],
      [aborted, 100],
    ] as const) {
      session.startTransaction({ writeConcern: { w: 'majority' } });
      await orders.insertMany(numbers(from, 7), { session });
    }
    const admin = client.db('admin');
    const { prepareTimestamp } = await admin.command({ prepareTransaction: 1 }, { session: committed });
    await prepare(client, aborted, false);
    await orders.insertOne({ _id: 50 }, { writeConcern: { w: 'majority' } });
    expect(await before.finish()).toBeUndefined();
    expect(before.events.map(({ key }) => key)).toEqual(['50']);

    const after = new OplogTail(client, { include: ['prepared.*'], after: before.checkpoint as Position });
    await admin.command({ commitTransaction: 1, commitTimestamp: prepareTimestamp }, { session: committed });
    await aborted.abortTransaction();
    await orders.insertOne({ _id: 51 }, { writeConcern: { w: 'majority' } });
    expect(await after.finish()).toBeUndefined();
    expect(idsOf(after.events.slice(0, 7))).toEqual(inOrder(0, 7));
    expect(after.events.slice(7).map(({ key }) => key)).toEqual(['51']);
    expect(after.counts.unknownEntries).toEqual({});
    await Promise.all([committed.endSession(), aborted.endSession()]);
  });

  it('is a gap when the oplog has lost its beginning', async () => {
    // In the second of the newest entry: the server waits for a time that it has not come to.
    const { t } = positionOf(await newestEntry());
    const lost = { prevOpTime: { ts: { $timestamp: { t: T, i: 1 } }, t: 1 } };
    const end = entry({ op: 'c', ns: 'admin.$cmd', o: { commitTransaction: 1 }, t, i: 1, more: BSON.EJSON.parse(JSON.stringify(lost)) });
    const reading = async () => {
      for await (const part of new TransactionEntries(client).entriesOf(end)) expect(part).toBe(end);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'TW1106', retriable: false });
  });
});

describe('what a migration between shards wrote', () => {
  it('is passed over, and counted', async () => {
    await client.db('migrated').createCollection('orders');
    const tail = await OplogTail.start(client, { include: ['migrated.*'] });
    // A server that is no shard writes the mark when it is told to, in one entry with the operations beside it.
    const insert = (_id: number, more = {}): object => ({ op: 'i', ns: 'migrated.orders', o: { _id }, ...more });
    await client.db('admin').command({ applyOps: [insert(1), insert(2, { fromMigrate: true }), insert(3)] });
    expect(await tail.finish()).toBeUndefined();
    expect(tail.events.map(({ key }) => key)).toEqual(['1', '3']);
    expect(tail.counts.eventsFiltered).toBeGreaterThanOrEqual(1);
  });
});

describe('commands', () => {
  it('are followed where they change which documents there are, and nothing of the server’s own is an event', async () => {
    const [db, other] = [client.db('commands'), client.db('elsewhere')];
    const tail = await OplogTail.start(client, { include: ['commands.*'] });
    const orders = db.collection<{ _id: number }>('orders');
    await orders.insertMany(numbers(0, 3));
    await orders.createIndex({ a: 1 });
    await orders.dropIndex('a_1');
    await db.command({ collMod: 'orders', validator: {} });
    await db.createCollection('view', { viewOn: 'orders', pipeline: [] });
    await db.createCollection('weather', { timeseries: { timeField: 'at' } });
    await db.collection('weather').insertOne({ at: new Date(), celsius: 20 });
    await db.collection('weather').drop();
    await db.createCollection('log', { capped: true, size: 4096, max: 2 });
    for (const document of numbers(0, 3)) await db.collection<{ _id: number }>('log').insertOne(document);
    await db.command({ emptycapped: 'log' });
    await db.command({ convertToCapped: 'orders', size: 100_000 });
    await orders.rename('sales');
    await db.collection<{ _id: number }>('orders').insertOne({ _id: 9 });
    await orders.rename('sales', { dropTarget: true });
    await client.db('admin').command({ renameCollection: 'commands.sales', to: 'elsewhere.sales' });
    await other
      .collection('sales')
      .aggregate([{ $out: { db: 'commands', coll: 'report' } }])
      .toArray();
    await client.db('admin').command({ renameCollection: 'elsewhere.sales', to: 'commands.sales' });
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await db.createCollection('made', { session });
        await db.collection<{ _id: number }>('made').insertMany(numbers(0, 5), { session });
      }),
    );
    const insert = { op: 'i', ns: 'commands.made', o: { _id: 7 } };
    const nested = { op: 'c', ns: 'admin.$cmd', o: { applyOps: [insert, { ...insert, o: { _id: 8 } }] } };
    await client.db('admin').command({ applyOps: [{ op: 'c', ns: 'commands.$cmd', o: { create: 'applied' } }, nested] });
    await db.dropDatabase();
    expect(await tail.finish()).toBeUndefined();

    const dropped = tail.commands.splice(-5);
    expect(dropped.map(({ kind, namespace }) => `${kind} ${namespace.name}`).sort()).toEqual(
      ['applied', 'log', 'made', 'report', 'sales'].map((name) => `drop commands.${name}`),
    );
    const seen = tail.commands.map(({ kind, namespace, to }) => [kind, namespace.name, ...(to === undefined ? [] : [to.name])].join(' '));
    expect(seen.map((text) => text.replace(/tmp\w{5}\./, 'tmp.').replace(/agg_out\..*? /, 'agg_out '))).toEqual([
      'create commands.orders',
      'create commands.log',
      'drop commands.log',
      'rename commands.tmp.convertToCapped.orders commands.orders',
      'rename commands.orders commands.sales',
      'create commands.orders',
      'rename commands.orders commands.sales',
      'drop commands.sales',
      'rename commands.tmp.agg_out commands.report',
      'rename commands.tmp.renameCollection commands.sales',
      'create commands.made',
      'create commands.applied',
    ]);
    expect(new Set(tail.events.map(({ namespace }) => namespace))).toEqual(new Set(['commands.orders', 'commands.log', 'commands.made']));
    expect([...(tail.fold().get('commands.log') ?? [])].map(([key]) => key)).toEqual(['1', '2']);
    expect(tail.counts.unknownEntries).toEqual({});
  });
});

describe('a transaction of 100,000 operations', () => {
  const OPERATIONS = 100_000;
  const BATCH = 5000;
  /** The garbage of a busy process included. */
  const MAX_GROWTH_BYTES = 300 * 1024 * 1024;
  let large: Mongo | undefined;

  afterAll(() => large?.stop());

  it('passes through little memory, and comes again as a whole after a crash in its middle', async () => {
    large = await startMongo({ oplogSizeMb: 512 });
    const server = await large.client();
    const orders = server.db('large').collection<{ _id: number }>('orders');
    await server.db('admin').command({ setParameter: 1, wiredTigerEngineRuntimeConfig: 'cache_size=1G' });
    await server.db('large').createCollection('orders');
    const after = positionOf(
      (
        await server
          .db('local')
          .collection('oplog.rs')
          .find({}, { sort: { $natural: -1 }, limit: 1 })
          .next()
      )?.['ts'],
    );
    await server.withSession((session) =>
      session.withTransaction(async () => {
        for (let from = 0; from < OPERATIONS; from += BATCH) {
          const documents = numbers(from, BATCH).map((document) => ({
            ...document,
            text: String(document._id).repeat(100).slice(0, 500),
          }));
          await orders.insertMany(documents, { session });
        }
      }),
    );
    let sends = 0;
    const crash = () => {
      if (++sends > 5) throw new Error('the crash');
    };
    const crashed = new OplogTail(server, { include: ['large.*'], after, onSend: crash });
    expect(await crashed.finish()).toMatchObject({ message: 'the crash' });
    const { checkpoint } = crashed;
    expect(crashed.counts.eventsPublished).toBeGreaterThan(0);

    const ordinals: number[] = [];
    const keys = new Set<string>();
    const before = process.memoryUsage().rss;
    let peak = before;
    const whole = new OplogTail(server, {
      include: ['large.*'],
      after: checkpoint ?? after,
      onSend: (events) => {
        for (const { key, position } of events) {
          keys.add(key);
          ordinals.push(position.ordinal);
        }
        peak = Math.max(peak, process.memoryUsage().rss);
      },
    });
    expect(await whole.finish()).toBeUndefined();
    expect(peak - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect(keys.size).toBe(OPERATIONS);
    expect(ordinals).toEqual(Array.from({ length: OPERATIONS }, (_, ordinal) => ordinal));
    await server.close();
  });
});
