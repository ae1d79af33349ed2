// Promise C: an update gets the document as it is at the update's position or later, whatever its _id is.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { findId, type RawValue, recordKey } from '@tailwater/schema';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChangeBatch, type TrackedNamespace } from '#producer/changes/change-batch.js';
import { DocumentLookup } from '#producer/enrich/document-lookup.js';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import type { Id } from '#test/property/schema/ids/id.js';
import { documentWithId } from '#test/property/schema/ids/id-bson.js';
import { addRow, ITEMS, ORDERS, type RowOptions } from '#test/unit/producer/support/rows.js';
import { RawConnection } from '../schema/raw-connection.js';
import { everyId } from './support/every-id.js';

const MEGABYTE = 1024 * 1024;

let mongo: Mongo | undefined;
let client: MongoClient;
let queries = 0;

beforeAll(async () => {
  mongo = await startMongo({});
  client = new MongoClient(mongo.uri, { monitorCommands: true });
  client.on('commandStarted', ({ commandName }) => {
    if (commandName === 'find') queries += 1;
  });
});

afterEach(async () => {
  await client.db('shop').dropDatabase();
});

afterAll(async () => {
  await client?.close();
  await mongo?.stop();
});

const insert = async (namespace: TrackedNamespace, documents: object[]): Promise<void> => {
  await client
    .db('shop')
    .collection(namespace.collection)
    .insertMany(documents as Document[], { forceServerObjectId: true });
};

/** The documents of a namespace as the server stores them, in the order of `n`. */
async function stored(namespace: TrackedNamespace): Promise<Buffer[]> {
  const cursor = client
    .db('shop')
    .collection(namespace.collection)
    .find({}, { raw: true, sort: { n: 1 } });
  return (await cursor.toArray()).map((bytes) => Buffer.from(bytes as unknown as Uint8Array));
}

/** Updates at the newest position there is. */
async function updatesOf(...rows: RowOptions[]): Promise<ChangeBatch> {
  const { t, i } = await newestMajorityPosition(client);
  const batch = new ChangeBatch();
  for (const row of rows) addRow(batch, { op: 'update', t, i, ...row });
  return batch;
}

describe('DocumentLookup', () => {
  it('finds ids of every type, to the byte', async () => {
    const ids = everyId();
    await insert(
      ORDERS,
      ids.map((_id, n) => ({ _id, n })),
    );
    const batch = await updatesOf(...ids.map((id) => ({ id })));
    await new DocumentLookup(client).fill(batch, 0, batch.length);
    expect(batch.document.slice(0, batch.length)).toEqual(await stored(ORDERS));
  });

  it('makes of a delete on one shard a delete, or a replacement by what another shard has, and goes on where the room ended', async () => {
    const bytes = Buffer.alloc(MEGABYTE, 1);
    await insert(ORDERS, [
      { _id: 1, n: 1, bytes },
      { _id: 3, n: 3, bytes },
      { _id: 4, n: 4, bytes },
    ]);
    const batch = await updatesOf({ op: 'leave', id: 1 }, { op: 'leave', id: 2 }, { op: 'leave', id: 3 }, { op: 'leave', id: 4 });
    const lookup = new DocumentLookup(client, 1.5 * MEGABYTE);
    for (let from = 0; from < batch.length; ) from = await lookup.fill(batch, from, batch.length);
    expect(batch.op).toEqual(['replace', 'delete', 'replace', 'replace']);
    const [first, third, fourth] = await stored(ORDERS);
    expect(batch.document).toEqual([first, undefined, third, fourth]);
  });

  it('leaves a document out that is gone', async () => {
    await insert(ORDERS, [{ _id: 1, n: 1 }]);
    const batch = await updatesOf({ id: 2 }, { id: 1 }, { id: 3 });
    await new DocumentLookup(client).fill(batch, 0, 3);
    expect(batch.document.slice(0, 3)).toEqual([undefined, ...(await stored(ORDERS)), undefined]);
  });

  it('reads 2,500 documents in three queries, each once', async () => {
    await insert(
      ORDERS,
      Array.from({ length: 2500 }, (_, n) => ({ _id: n, n })),
    );
    const ids = Array.from({ length: 2500 }, (_, n) => ({ id: n }));
    const batch = await updatesOf(...ids, ...ids.slice(0, 500));
    queries = 0;
    await new DocumentLookup(client).fill(batch, 0, batch.length);
    expect(queries).toBe(3);
    const documents = await stored(ORDERS);
    expect(batch.document.slice(0, 2500).every((document, n) => document?.equals(documents[n] as Buffer))).toBe(true);
    for (let n = 0; n < 500; n++) expect(batch.document[2500 + n]).toBe(batch.document[n]);
  });

  it('reads more than one reply holds', async () => {
    const sizes = [8, 8, 8, 15.9, 8];
    for (const [n, size] of sizes.entries()) await insert(ORDERS, [{ _id: n, n, bytes: Buffer.alloc(size * MEGABYTE, n) }]);
    const batch = await updatesOf(...sizes.map((_, n) => ({ id: n })));
    const lookup = new DocumentLookup(client);
    for (let from = 0; from < 5; ) from = await lookup.fill(batch, from, 5);
    const documents = await stored(ORDERS);
    expect(batch.document.slice(0, 5).map((document, n) => document?.equals(documents[n] as Buffer))).toEqual(Array(5).fill(true));
    // The next slice of such documents holds one; that of a namespace that nothing is known of holds few.
    expect(lookup.documentsPerSlice(ORDERS)).toBe(1);
    expect(lookup.documentsPerSlice(ITEMS)).toBe(32);
  });

  it('looks at the rows that it is told to, and only at updates without a document', async () => {
    await insert(
      ORDERS,
      [1, 2, 3, 4].map((_id) => ({ _id, n: _id })),
    );
    const given = Buffer.of(5, 0, 0, 0, 0);
    const batch = await updatesOf({ id: 1 }, { id: 2 }, { id: 3, op: 'delete' }, { id: 4, op: 'insert', document: given }, { id: 4 });
    queries = 0;
    await new DocumentLookup(client).fill(batch, 1, 4);
    expect(batch.document.slice(0, 5)).toEqual([undefined, (await stored(ORDERS))[1], undefined, given, undefined]);
    const asked = queries;
    await new DocumentLookup(client).fill(batch, 2, 4);
    expect(queries).toBe(asked);
  });

  it('leaves a row its document that came with its event, beside rows that are looked up', async () => {
    await insert(
      ORDERS,
      [1, 2].map((_id) => ({ _id, n: _id })),
    );
    const image = documentWithId({ kind: 'string', text: Buffer.from('as it was') });
    const batch = await updatesOf({ id: 1, document: image }, { id: 2 }, { id: 1 }, { id: 3, document: image });
    await new DocumentLookup(client).fill(batch, 0, 4);
    const [first, second] = await stored(ORDERS);
    expect(batch.document.slice(0, 4)).toEqual([image, second, first, image]);
  });

  it('keeps namespaces apart', async () => {
    await insert(ORDERS, [{ _id: 1, n: 'order' }]);
    await insert(ITEMS, [{ _id: 1, n: 'item' }]);
    const batch = await updatesOf({ id: 1 }, { id: 1, namespace: ITEMS }, { id: 1 });
    await new DocumentLookup(client).fill(batch, 0, 3);
    const [[order], [item]] = [await stored(ORDERS), await stored(ITEMS)];
    expect(batch.document.slice(0, 3)).toEqual([order, item, order]);
  });

  it('reads what the update wrote, however new it is', async () => {
    await insert(ORDERS, [{ _id: 1, n: 0 }]);
    const orders = client.db('shop').collection(ORDERS.collection);
    for (let n = 1; n <= 20; n++) {
      await orders.updateOne({ _id: 1 as never }, { $set: { n } }, { writeConcern: { w: 1 } });
      const { lastWrite } = await client.db('admin').command({ hello: 1 });
      const { ts } = lastWrite.opTime;
      const batch = await updatesOf({ id: 1, t: ts.getHighBitsUnsigned(), i: ts.getLowBitsUnsigned() });
      await new DocumentLookup(client).fill(batch, 0, 1);
      expect(batch.document[0]).toEqual((await stored(ORDERS))[0]);
    }
  });

  it('takes no more documents than a slice has room for, and leaves the others to the next', async () => {
    await insert(
      ORDERS,
      Array.from({ length: 40 }, (_, n) => ({ _id: n, n, bytes: Buffer.alloc(n < 30 ? 10 : MEGABYTE) })),
    );
    const batch = await updatesOf(...Array.from({ length: 41 }, (_, n) => ({ id: n })));
    const lookup = new DocumentLookup(client, 3 * MEGABYTE);
    const ends: number[] = [];
    for (let from = 0; from < 41; from = ends.at(-1) as number) {
      ends.push(await lookup.fill(batch, from, 41));
      const held = batch.document.slice(from).reduce((bytes, document) => bytes + (document?.length ?? 0), 0);
      expect(held).toBeLessThan(4 * MEGABYTE);
      batch.releaseDocuments(0, ends.at(-1) as number);
    }
    expect(ends.length).toBeGreaterThan(3);
    // A document that is larger than all of the room goes alone.
    const small = new DocumentLookup(client, 1000);
    const two = await updatesOf({ id: 35 }, { id: 36 });
    expect([await small.fill(two, 0, 2), two.document[0]?.length, await small.fill(two, 1, 2)]).toEqual([1, expect.any(Number), 2]);
  });

  it('finds what the driver has no value for', async () => {
    const ids: Id[] = [
      { kind: 'string', text: Buffer.of(0xff) },
      { kind: 'date', ms: 8_640_000_000_000_001n },
      { kind: 'object', fields: [[Buffer.of(0xc3), { kind: 'string', text: Buffer.of(0x61) }]] },
      { kind: 'dbPointer', namespace: Buffer.from('a.b'), id: Buffer.alloc(12) },
    ];
    const sources = ids.map((id) => documentWithId(id));
    const connection = await RawConnection.open((mongo as Mongo).port);
    expect(await connection.insert('shop', ORDERS.collection, sources)).toEqual([]);
    connection.close();
    const batch = await updatesOf(...ids.map(() => ({})));
    for (const [row, source] of sources.entries()) {
      const { type, start, end } = findId(source) as RawValue;
      [batch.idSource[row], batch.idType[row], batch.idStart[row], batch.idEnd[row]] = [source, type, start, end];
      batch.key[row] = recordKey(source, type, start);
    }
    await new DocumentLookup(client).fill(batch, 0, ids.length);
    expect(batch.document.slice(0, ids.length)).toEqual(sources);
  });
});
