// Both sources give the same changes of the same writes, in the same order, at the same positions.
import { type Mongo, startMongo } from '@tailwater/devstack';
import type { Position } from '@tailwater/schema';
import { type ClientSession, type Collection, Int32, Long, type MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyId } from '#test/integration/producer/support/every-id.js';
import { type SourceReader as Reader, SourceReader, type SourceReaderOptions } from './support/source-changes.js';

let mongo: Mongo | undefined;
let client: MongoClient;
let cases = 0;

beforeAll(async () => {
  mongo = await startMongo();
  client = await mongo.client();
});

afterAll(() => mongo?.stop());

const database = (): string => `shop${cases}`;
interface Row {
  readonly _id: string | number;
  readonly [field: string]: unknown;
}
const collection = (name = 'orders'): Collection<Row> => client.db(database()).collection(name);

interface Both {
  readonly oplog: Reader;
  readonly stream: Reader;
  readonly start: Position;
}

/** Does the work and reads it through both sources, up to a last insert that is told apart by its `_id`. */
async function bothOf(work: () => Promise<unknown>, options: SourceReaderOptions = {}): Promise<Both> {
  cases += 1;
  const given = { include: [`${database()}.*`], ...options };
  const oplog = new SourceReader(client, 'oplog', given);
  const stream = new SourceReader(client, 'change-stream', given);
  const start = await oplog.source.newestPosition();
  await work();
  const last = `the end of ${database()}`;
  await client
    .db(database())
    .collection('orders')
    .insertOne({ _id: last as never });
  const key = JSON.stringify(last);
  await oplog.readUntilKey(start, key);
  await stream.readUntilKey(start, key);
  return { oplog, stream, start };
}

function expectSame({ oplog, stream }: Both): void {
  expect(stream.changes).toEqual(oplog.changes);
  expect(stream.commands).toEqual(oplog.commands);
}

const ops = ({ oplog }: Both): string[] => oplog.changes.map(({ op }) => op);

async function inTransaction(work: (session: ClientSession) => Promise<void>): Promise<void> {
  await client.withSession((session) => session.withTransaction(() => work(session)));
}

describe('oplog and change stream', () => {
  it('agree on inserts with ids of every type', async () => {
    const ids = everyId();
    const both = await bothOf(async () => {
      await collection().insertMany(ids.map((_id) => ({ _id, n: 1 })) as never[], { ordered: true });
      await collection().deleteMany({ n: 1 });
    });
    expectSame(both);
    expect(ops(both).filter((op) => op === 'insert').length).toBe(ids.length + 1);
    expect(ops(both).filter((op) => op === 'delete').length).toBe(ids.length);
  });

  it('agree on updates of all kinds, replacements, upserts and deletes', async () => {
    const both = await bothOf(async () => {
      const orders = collection();
      await orders.insertOne({ _id: 1, n: new Int32(1), list: [1, 2, 3, 4], nested: { a: { b: 1 }, '5': 1 } } as never);
      await orders.updateOne({ _id: 1 }, { $set: { n: Long.fromNumber(2), 'nested.a.b': 2, 'list.1': 9 } } as never);
      await orders.updateOne({ _id: 1 }, { $unset: { n: 1, 'nested.5': 1 } } as never);
      await orders.updateOne({ _id: 1 }, [{ $set: { list: { $slice: ['$list', 2] }, more: { '10': 1, a: [{}] } } }] as never);
      await orders.updateOne({ _id: 1 }, { $push: { list: { $each: [5, 6] } }, $inc: { count: 1 }, $rename: { more: 'less' } } as never);
      await orders.updateOne({ _id: 1 }, { $set: { count: 1 } } as never); // changes nothing
      await orders.replaceOne({ _id: 1 }, { whole: true } as never);
      await orders.updateOne({ _id: 2 }, { $set: { upserted: true } } as never, { upsert: true });
      await orders.replaceOne({ _id: 3 }, { replaced: true } as never, { upsert: true });
      await orders.findOneAndUpdate({ _id: 3 }, { $set: { found: 1 } } as never);
      await orders.findOneAndDelete({ _id: 2 });
      await orders.deleteOne({ _id: 1 });
    });
    expectSame(both);
    expect(ops(both)).toEqual([
      ...['insert', 'update', 'update', 'update', 'update', 'replace', 'insert', 'insert', 'update', 'delete', 'delete', 'insert'],
    ]);
  });

  it('agree on bulk writes over several collections, and leave out those that are not included', async () => {
    const both = await bothOf(
      async () => {
        for (const name of ['orders', 'skipped', 'archive-1', 'customers']) {
          await collection(name).bulkWrite([
            ...Array.from({ length: 50 }, (_, n) => ({ insertOne: { document: { _id: n, name } as never } })),
            { updateMany: { filter: { _id: { $lt: 10 } } as never, update: { $set: { touched: true } } as never } },
            { deleteMany: { filter: { _id: { $gte: 40 } } as never } },
          ]);
        }
      },
      { exclude: ['*.skip*', '*.archive-1'] },
    );
    expectSame(both);
    expect(new Set(both.stream.changes.map(({ namespace }) => namespace))).toEqual(
      new Set([`${database()}.orders`, `${database()}.customers`]),
    );
  });

  it('agree on transactions, and on the operations of one that are of other namespaces', async () => {
    const both = await bothOf(
      async () => {
        await collection().insertOne({ _id: 'before' });
        await collection('skipped').insertOne({ _id: 'before' });
        await collection('customers').insertOne({ _id: 'before' });
        await inTransaction(async (session) => {
          for (let n = 0; n < 200; n++) {
            await collection(['orders', 'skipped', 'customers'][n % 3]).insertOne({ _id: n }, { session });
          }
          await collection().updateOne({ _id: 0 }, { $set: { twice: true } } as never, { session });
          await collection().replaceOne({ _id: 0 }, { once: true } as never, { session });
          await collection().deleteOne({ _id: 'before' }, { session });
        });
        await client.withSession(async (session) => {
          session.startTransaction();
          await collection().insertOne({ _id: 'aborted' }, { session });
          await session.abortTransaction();
        });
      },
      { exclude: ['*.skipped'] },
    );
    expectSame(both);
    const inside = both.stream.changes.filter(({ transaction }) => transaction !== null);
    expect(inside.length).toBe(136);
    expect(new Set(inside.map(({ position }) => position.split(':').slice(0, 2).join(':'))).size).toBe(1);
  });

  it('agree on commands that change which documents exist', async () => {
    const both = await bothOf(async () => {
      const db = client.db(database());
      await db.createCollection('created');
      await collection('created').insertOne({ _id: 1 });
      await collection('created').createIndex({ n: 1 });
      await db.command({ collMod: 'created', validationLevel: 'off' });
      await collection('created').rename('renamed');
      await collection('target').insertOne({ _id: 2 });
      await collection('renamed').rename('target', { dropTarget: true });
      await db.createCollection('capped', { capped: true, size: 10_000 });
      await db.command({ convertToCapped: 'target', size: 100_000 });
      await db.createCollection('view', { viewOn: 'target', pipeline: [] });
      await db.createCollection('series', { timeseries: { timeField: 'at' } });
      await collection('series').insertOne({ at: new Date() } as never);
      await collection('capped').drop();
      await collection('target').insertOne({ _id: 3 });
    });
    expectSame(both);
    expect(both.oplog.commands.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['create', 'rename', 'drop']));
    expect(both.stream.unknown()).toEqual([]);
  });

  it('agree on a database that is dropped and begins anew', async () => {
    const both = await bothOf(async () => {
      await collection().insertOne({ _id: 1 });
      await collection('other').insertOne({ _id: 1 });
      await client.db(database()).dropDatabase();
      await collection().insertOne({ _id: 1, again: true } as never);
    });
    expectSame(both);
    expect(both.oplog.commands.filter(({ kind }) => kind === 'drop').length).toBe(2);
  });

  it('agree on one collection that is watched alone, through drops and renames of it', async () => {
    const both = await bothOf(
      async () => {
        await collection().insertOne({ _id: 1 });
        await collection('elsewhere').insertOne({ _id: 1 });
        await collection().drop();
        await collection().insertOne({ _id: 2 });
        await collection().rename('away');
        await collection('away').insertOne({ _id: 3 });
        await collection('elsewhere').rename('orders');
        await collection().updateOne({ _id: 1 }, { $set: { here: true } } as never);
      },
      { include: [`shop${cases + 1}.orders`] },
    );
    expectSame(both);
    expect(ops(both)).toEqual(['insert', 'insert', 'update', 'insert']);
    expect(both.oplog.commands.map(({ kind }) => kind)).toEqual(['create', 'drop', 'create', 'rename', 'rename']);
  });

  it('go on behind any change, inside a transaction too, and from a place of the other', async () => {
    const { oplog, stream, start } = await bothOf(async () => {
      await collection().insertOne({ _id: 'a' });
      await inTransaction(async (session) => {
        for (let n = 0; n < 6; n++) await collection(n % 2 === 0 ? 'orders' : 'skipped').insertOne({ _id: n }, { session });
      });
      await collection().updateOne({ _id: 0 }, { $set: { n: 1 } } as never);
    });
    const all = stream.changes;
    const last = all.at(-1)?.key as string;
    expect(all.length).toBe(9);
    for (const [index, resumePoint] of stream.resumePoints.slice(0, -1).entries()) {
      const again = new SourceReader(client, 'change-stream', { include: [`${database()}.*`] });
      await again.readUntilKey(resumePoint, last);
      expect(again.changes, `behind ${resumePoint}`).toEqual(all.slice(index + 1));
    }
    // The oplog knows entries only: from inside of one it reads the whole of it again.
    for (const index of [0, 3, 6]) {
      const again = new SourceReader(client, 'oplog', { include: [`${database()}.*`] });
      await again.readUntilKey(stream.resumePoints[index] as Position, last);
      expect(again.changes.slice(-(all.length - index - 1))).toEqual(all.slice(index + 1));
    }
    for (const place of [start, oplog.resumePoints[0], oplog.resumePoints[6]] as Position[]) {
      const again = new SourceReader(client, 'change-stream', { include: [`${database()}.*`] });
      const before = all.filter((_, index) => (oplog.resumePoints[index] as Position).compare(place) <= 0).length;
      await again.readUntilKey(place, last);
      expect(again.changes).toEqual(all.slice(before));
    }
  });
});

describe('the oplog', () => {
  it('gives the changes of the database admin, where it is included by its name', async () => {
    cases += 1;
    const oplog = new SourceReader(client, 'oplog', { include: ['admin.x'] });
    const start = await oplog.source.newestPosition();
    const admin = client.db('admin').collection<Row>('x');
    await client.db('admin').collection('y').insertOne({ n: 1 });
    await admin.insertOne({ _id: 'first', n: 1 });
    await admin.updateOne({ _id: 'first' }, { $set: { n: 2 } });
    await admin.insertOne({ _id: 'last' });
    await oplog.readUntilKey(start, '"last"');
    expect(oplog.changes.map(({ op, key }) => [op, key])).toEqual([
      ['insert', '"first"'],
      ['update', '"first"'],
      ['insert', '"last"'],
    ]);
  });
});
