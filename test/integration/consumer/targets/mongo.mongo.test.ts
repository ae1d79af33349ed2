// The MongoDB target against a real mongod: what only it has. What every target does: test/contract/target.
import { type Mongo, startMongo, waitFor } from '@tailwater/devstack';
import { BSON, Code, Decimal128, type Document, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'bson';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { MongoTarget } from '#consumer/targets/mongo/mongo.js';
import { change, ORDERS } from '#test/unit/consumer/support/changes.js';
import { elements, raw, rawDocument, unspeakable } from '../support/bson-zoo.js';
import { LanesRun } from '../support/lanes-run.js';

let mongo: Mongo;
let client: MongoClient;
let target: MongoTarget;
const never = new AbortController().signal;
const namespace = { database: 'copy', collection: 'orders' };

beforeAll(async () => {
  mongo = await startMongo();
  client = await new MongoClient(mongo.uri).connect();
  target = new MongoTarget({ url: mongo.uri, connectTimeoutMs: 5000, requestTimeoutMs: 30_000 });
  await target.connect(never);
});

afterAll(async () => {
  await target?.close();
  await client?.close();
  await mongo?.stop();
});

beforeEach(async () => {
  await client.db('copy').collection('orders').deleteMany({});
});

let sequence = 0;
const upsert = (id: unknown, document: Buffer): Change => change(id, ++sequence, { namespace, document });
const remove = (id: unknown): Change => change(id, ++sequence, { namespace, kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
const apply = (...changes: Change[]) => target.applyBatch(changes, never);
const stored = async (filter: Document = {}): Promise<Buffer[]> =>
  (await client.db('copy').collection('orders').find(filter, { raw: true }).toArray()).map((each) =>
    Buffer.from(each as unknown as Uint8Array),
  );

describe('a collection with a collation', () => {
  const folded = { status: 'rejected', code: 'TW1378', retriable: true, scope: 'place', reason: expect.stringContaining('copy.orders') };
  const collated = async () => {
    await client.db('copy').dropCollection('orders');
    await client.db('copy').createCollection('orders', { collation: { locale: 'en', strength: 1 } });
  };
  const fresh = async (settings = {}) => {
    const other = new MongoTarget({ url: mongo.uri, connectTimeoutMs: 5000, requestTimeoutMs: 30_000, ...settings });
    await other.connect(never);
    return other;
  };

  afterEach(() => client.db('copy').dropCollection('orders'));

  test.each([{}, { versionField: '_tw' }])('takes no ids of text, loses none that it has, and takes all others (%j)', async (settings) => {
    await collated();
    await client.db('copy').collection<{ _id: string; of: string }>('orders').insertOne({ _id: 'A', of: 'others' });
    const other = await fresh(settings);
    try {
      const id = new ObjectId();
      const changes = [
        upsert('a', raw({ _id: 'a' })),
        upsert(id, raw({ _id: id })),
        remove('a'),
        upsert(5, raw({ _id: 5 })),
        remove({ a: 'A' }),
      ];
      expect(await other.applyBatch(changes, never)).toMatchObject([folded, { status: 'applied' }, folded, { status: 'applied' }, folded]);
      const ids = await client.db('copy').collection('orders').distinct('_id');
      expect(ids.map(String).sort()).toEqual([String(id), '5', 'A'].sort());
      // Made anew, it is taken when it is looked at again.
      await client.db('copy').dropCollection('orders');
      const results = await waitFor(() => other.applyBatch([upsert('a', raw({ _id: 'a' })), upsert('A', raw({ _id: 'A' }))], never), {
        until: ([first]) => first?.status === 'applied',
      });
      expect(results).toEqual([{ status: 'applied' }, { status: 'applied' }]);
      expect(await other.applyBatch([remove('a')], never)).toEqual([{ status: 'applied' }]);
      expect(await client.db('copy').collection('orders').distinct('_id')).toEqual(['A']);
    } finally {
      await other.close();
    }
  });

  test.each([{}, { versionField: '_tw' }])(
    'that was made after a first look is noticed by what its index refuses (%j)',
    async (settings) => {
      const other = await fresh(settings);
      try {
        await other.applyBatch([upsert('first', raw({ _id: 'first' }))], never);
        await collated();
        const results = await other.applyBatch([upsert('A', raw({ _id: 'A', n: 1 })), upsert('a', raw({ _id: 'a', n: 2 }))], never);
        expect(results).toMatchObject([{ status: 'applied' }, folded]);
        expect(await other.applyBatch([remove('a')], never)).toMatchObject([folded]);
        expect(await client.db('copy').collection('orders').countDocuments()).toBe(1);
      } finally {
        await other.close();
      }
    },
  );
});

describe('what is refused', () => {
  const forty = (place: { database: string; collection: string }) =>
    Array.from({ length: 40 }, (_, n) => change(n, ++sequence, { namespace: place, document: raw({ _id: n, n }) }));
  const idsIn = async (collection: string): Promise<number[]> =>
    (await client.db('places').collection(collection).find().sort({ _id: 1 }).toArray()).map(({ _id }) => Number(_id));
  const numbers = Array.from({ length: 40 }, (_, n) => n);

  test('is a view or a time series where a collection should be: it waits alone, and goes on when it is one', async () => {
    const places = client.db('places');
    await places.createCollection('source');
    await places.createCollection('view', { viewOn: 'source', pipeline: [] });
    await places.createCollection('series', { timeseries: { timeField: 'at' } });
    const healthy = { database: 'places', collection: 'healthy' };
    const others = ['view', 'series'].map((collection) => ({ database: 'places', collection }));
    const all = [...others, healthy].map(forty);
    const run = new LanesRun(target);
    await run.feed(numbers.flatMap((n) => all.map((changes) => changes[n] as Change)));
    await waitFor(() => run.ended(healthy).length, { describe: 'the healthy one', until: (count) => count === 40 });
    await waitFor(() => run.waiting, { describe: 'two that wait', until: (waiting) => waiting.length === 2 });
    expect(run.waiting).toEqual([expect.stringMatching(/^series \d+$/), 'view 166']);
    await places.collection('view').drop();
    await places.collection('series').drop();
    await waitFor(() => run.lanes.buffered.count, { describe: 'what waited', until: (count) => count === 0 });
    for (const collection of ['view', 'series', 'healthy']) expect(await idsIn(collection)).toEqual(numbers);
    expect(run.deadLetters).toEqual([]);
    expect(run.failures).toEqual([]);
    await run.end();
  });

  test('is a document that a validator or another unique index refuses: it alone', async () => {
    const places = client.db('places');
    await places.createCollection('strict', { validator: { n: { $lt: 38 } } });
    await places.collection('strict').createIndex({ other: 1 }, { unique: true, sparse: true });
    const strict = { database: 'places', collection: 'strict' };
    const run = new LanesRun(target);
    const twins = [100, 101].map((id) => change(id, ++sequence, { namespace: strict, document: raw({ _id: id, n: 1, other: 'same' }) }));
    await run.feed([...forty(strict), twins[0] as Change]);
    await waitFor(() => run.lanes.buffered.count, { describe: 'the first of the twins', until: (count) => count === 0 });
    await run.feed(twins.slice(1));
    await waitFor(() => run.lanes.buffered.count, { describe: 'all of it', until: (count) => count === 0 });
    expect(run.deadLetters.sort()).toEqual(['101 11000', '38 121', '39 121']);
    expect(await idsIn('strict')).toEqual([...numbers.slice(0, 38), 100]);
    await run.end();
  });
});

describe('MongoTarget', () => {
  test.each([
    ['names that come twice and integer-like names', () => unspeakable(1)],
    ['a top-level Timestamp(0, 0)', () => raw({ _id: 1, at: new Timestamp({ t: 0, i: 0 }), after: 1 })],
    ['top-level names that begin with $', () => raw({ _id: 1, $set: { a: 1 }, $x: 2 })],
    ['names with dots, and an empty name', () => raw({ _id: 1, 'a.b': 1, '': { 'c.d': '' } })],
    ['nested names that begin with $', () => raw({ _id: 1, a: { $inc: 1, b: [{ $ref: 2 }] } })],
  ])('stores a document with %s byte by byte', async (_, make) => {
    const document = make();
    expect(await apply(upsert(1, raw({ _id: 1, before: true })))).toEqual([{ status: 'applied' }]);
    expect(await apply(upsert(1, document))).toEqual([{ status: 'applied' }]);
    expect(await stored()).toEqual([document]);
  });

  test.each<[string, unknown]>([
    ['an ObjectId', new ObjectId()],
    ['a string', 'x/ü"y'],
    ['an empty string', ''],
    ['an int', new Int32(5)],
    ['a long', Long.fromString('9007199254740993')],
    ['a double', new Double(0.5)],
    ['NaN', new Double(Number.NaN)],
    ['a decimal', Decimal128.fromString('1.5')],
    ['a decimal that no double equals', Decimal128.fromString('0.1')],
    ['a date', new Date('2024-02-29T12:00:00Z')],
    ['a UUID', new UUID()],
    ['a boolean', true],
    ['null', null],
    ['a document', { b: new Int32(1), a: { '2': 'x', c: [new Int32(1), Long.fromNumber(2)] } }],
    ['an empty document', {}],
    ['a code', new Code('f()')],
    ['a long string', 'x'.repeat(2000)],
  ])('finds a document by %s again, to replace and to delete it', async (_, id) => {
    const others = [upsert('other', raw({ _id: 'other' }))];
    expect(await apply(upsert(id, raw({ _id: id, v: 1 })), ...others)).toEqual([{ status: 'applied' }, { status: 'applied' }]);
    expect(await apply(upsert(id, raw({ _id: id, v: 2 })))).toEqual([{ status: 'applied' }]);
    expect(await stored({ v: { $exists: true } })).toEqual([raw({ _id: id, v: 2 })]);
    expect(await apply(remove(id))).toEqual([{ status: 'applied' }]);
    expect(await stored()).toEqual([raw({ _id: 'other' })]);
    expect(await apply(remove(id))).toEqual([{ status: 'applied' }]);
  });

  test('deletes documents whose _id has integer-like names in their own order', async () => {
    const id = rawDocument(elements({ '10': new Int32(1) }), elements({ '2': new Int32(2) }));
    const document = rawDocument(Buffer.from('\x03_id\0', 'latin1'), id);
    await apply(upsert(1, document));
    expect(await stored()).toEqual([document]);
    const key = '{"10":1,"2":2}';
    expect(await apply(change(1, ++sequence, { namespace, kind: 'delete', key, document: Buffer.alloc(0) }))).toEqual([
      { status: 'applied' },
    ]);
    expect(await stored()).toEqual([]);
  });

  test('takes a document whose _id changed its numeric type, which MongoDB holds equal', async () => {
    await apply(upsert(new Int32(7), raw({ _id: new Int32(7), v: 1 })));
    expect(await apply(upsert(Long.fromNumber(7), raw({ _id: Long.fromNumber(7), v: 2 })))).toEqual([{ status: 'applied' }]);
    expect(BSON.deserialize((await stored())[0] as Buffer)).toMatchObject({ v: 2 });
  });

  test('takes documents of 15.9 MB, more of them than one command holds', async () => {
    const text = 'x'.repeat(15_900_000);
    const changes = [1, 2, 3, 4].map((id) => upsert(id, raw({ _id: id, text })));
    expect(await apply(...changes)).toEqual(changes.map(() => ({ status: 'applied' })));
    const sizes = await client
      .db('copy')
      .collection('orders')
      .aggregate([{ $project: { size: { $bsonSize: '$$ROOT' } } }])
      .toArray();
    expect(sizes.map(({ size }) => size)).toEqual(changes.map(({ document }) => document.length));
  });

  test('says which document the server refuses, and applies the rest', async () => {
    const guarded = { database: 'copy', collection: 'guarded' };
    await client.db('copy').createCollection('guarded', { validator: { price: { $type: 'double' } } });
    const results = await apply(
      change(1, ++sequence, { namespace: guarded, document: raw({ _id: 1, price: 1.5 }) }),
      change(2, ++sequence, { namespace: guarded, document: raw({ _id: 2, price: 'free' }) }),
      change(3, ++sequence, { namespace: guarded, document: raw({ _id: 3, price: 2.5 }) }),
    );
    expect(results).toMatchObject([{ status: 'applied' }, { status: 'rejected', code: '121', retriable: false }, { status: 'applied' }]);
    expect(await client.db('copy').collection('guarded').countDocuments()).toBe(2);
  });

  test('a clash on another unique index is refused for good', async () => {
    const unique = { database: 'copy', collection: 'unique' };
    await client.db('copy').collection('unique').createIndex({ email: 1 }, { unique: true });
    const results = await apply(
      change(1, ++sequence, { namespace: unique, document: raw({ _id: 1, email: 'a' }) }),
      change(2, ++sequence, { namespace: unique, document: raw({ _id: 2, email: 'a' }) }),
    );
    expect(results.map(({ status }) => status)).toEqual(['applied', 'rejected']);
    expect(results[1]).toMatchObject({ code: '11000', retriable: false });
  });

  test('a request to a server that does not answer ends with its timeout, and the next one works when it is back', async () => {
    const own = new MongoTarget({ url: mongo.uri, connectTimeoutMs: 1000, requestTimeoutMs: 500 });
    await own.connect(never);
    const changes = [upsert('paused', raw({ _id: 'paused' }))];
    await mongo.pause();
    try {
      await expect(own.applyBatch(changes, never)).rejects.toMatchObject({ code: 'TW1301', retriable: true });
      await expect(own.applyBatch(changes, never)).rejects.toMatchObject({ code: 'TW1301', retriable: true });
    } finally {
      await mongo.resume();
    }
    await waitFor(() => own.applyBatch(changes, never), { describe: 'the server to take changes again' });
    await own.close();
  });

  test('a malformed URL is refused', () => {
    const create = () => new MongoTarget({ url: 'http://localhost', connectTimeoutMs: 500, requestTimeoutMs: 500 });
    expect(create).toThrow(expect.objectContaining({ code: 'TW1308' }));
  });
});

describe('MongoTarget with access control, standalone', () => {
  let guarded: Mongo;

  beforeAll(async () => {
    guarded = await startMongo({ members: 0, auth: true });
  });

  afterAll(async () => {
    await guarded?.stop();
  });

  const connect = async (url: string): Promise<MongoTarget> => {
    const each = new MongoTarget({ url, connectTimeoutMs: 5000, requestTimeoutMs: 5000 });
    await each.connect(never).finally(() => each.close());
    return each;
  };

  test('writes to a server that is no replica set', async () => {
    const each = new MongoTarget({ url: guarded.uri, connectTimeoutMs: 5000, requestTimeoutMs: 5000 });
    await each.connect(never);
    expect(await each.applyBatch([change(1, 1, { namespace: ORDERS, document: raw({ _id: 1 }) })], never)).toEqual([{ status: 'applied' }]);
    await each.close();
  });

  test('wrong credentials are refused at once', async () => {
    const url = guarded.uri.replace(/\/\/root:[^@]*@/, '//root:wrong@');
    await expect(connect(url)).rejects.toMatchObject({ code: 'TW1302', retriable: false });
  });

  test('a write without the right to holds up its collection', async () => {
    const url = guarded.uri.replace(/\/\/root:[^@]*@/, '//').replace(/[?&]authSource=[^&]*/, '');
    const each = new MongoTarget({ url, connectTimeoutMs: 5000, requestTimeoutMs: 5000 });
    expect(await each.applyBatch([upsert(1, raw({ _id: 1 }))], never)).toMatchObject([{ code: 'TW1303', scope: 'place' }]);
    await each.close();
  });
});
