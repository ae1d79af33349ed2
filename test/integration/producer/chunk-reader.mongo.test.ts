// A snapshot's chunks against a real server: every document once, whatever the ids are, each chunk at a known position.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { findId, Position, type RawValue, recordKey } from '@tailwater/schema';
import { BSON, type Collection, type CreateCollectionOptions, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chunk, ChunkReader } from '#producer/backfill/snapshot/chunk-reader.js';
import { splitRanges, WHOLE } from '#producer/backfill/snapshot/split-ranges.js';
import type { SnapshotRange } from '#producer/checkpoint/checkpoint-record.js';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import { documentWithId } from '#test/property/schema/ids/id-bson.js';
import { RawConnection } from '../schema/raw-connection.js';
import { everyId } from './support/every-id.js';
import { namespaceOf } from './support/namespace.js';

const MEGABYTE = 1024 * 1024;
const ANY_TIME = new Position(0, 0);
const signal = new AbortController().signal;

let mongo: Mongo | undefined;
let client: MongoClient;

beforeAll(async () => {
  mongo = await startMongo({});
  client = new MongoClient(mongo.uri);
});

afterAll(async () => {
  await client?.close();
  await mongo?.stop();
});

async function collection(name: string, documents: Document[], options: CreateCollectionOptions = {}): Promise<Collection> {
  const created = await client.db('shop').createCollection(name, options);
  if (documents.length > 0) await created.insertMany(documents, { forceServerObjectId: true });
  return created;
}

const readerOf = (documents: number, queries: ReadonlyMap<string, Document> = new Map()): ChunkReader =>
  new ChunkReader(client, { documents, readPreference: 'primary', queries });

const behind = (chunk: Chunk, range = WHOLE): SnapshotRange => ({ ...range, lastId: (chunk.lastId as Buffer).toString('base64') });

/** Reads all of the range; each chunk is read behind the one before. */
async function readAll(name: string, documentsPerChunk: number, range = WHOLE, query?: Document): Promise<Chunk[]> {
  const namespace = namespaceOf(`shop.${name}`);
  const reader = readerOf(documentsPerChunk, new Map(query === undefined ? [] : [[namespace.name, query]]));
  const chunks: Chunk[] = [];
  for (let next = range; ; ) {
    const chunk = await reader.read(namespace, next, ANY_TIME, signal);
    if (chunk.documents.length > 0) chunks.push(chunk);
    if (chunk.lastId === undefined) return chunks;
    next = behind(chunk, range);
    if (chunks.length > 1000) throw new Error('The chunks do not come to an end');
  }
}

const documentsOf = (chunks: readonly Chunk[]): Buffer[] => chunks.flatMap(({ documents }) => documents);

const keysOf = (documents: readonly Buffer[]): string[] =>
  documents.map((document) => {
    const { type, start } = findId(document) as RawValue;
    return recordKey(document, type, start);
  });

/** What the server gives for the whole collection in the order of its ids. */
async function storedIn(name: string): Promise<Buffer[]> {
  const cursor = client
    .db('shop')
    .collection(name)
    .find({}, { raw: true, sort: { _id: 1 }, hint: { _id: 1 } });
  return (await cursor.toArray()).map((bytes) => Buffer.from(bytes as unknown as Uint8Array));
}

describe('ChunkReader', () => {
  it.each([1, 3, 1000])('reads ids of every type in chunks of %i', async (documentsPerChunk) => {
    const name = `every_id_${documentsPerChunk}`;
    const ids = everyId();
    await collection(name, ids.map((_id, n) => ({ _id, n })) as Document[]);
    const chunks = await readAll(name, documentsPerChunk);
    expect(documentsOf(chunks)).toEqual(await storedIn(name));
    expect(documentsOf(chunks).length).toBe(ids.length);
    // The greatest _id that there can be comes by itself: bounds of the index leave it out.
    expect(Math.max(...chunks.map(({ documents }) => documents.length))).toBe(Math.min(documentsPerChunk, ids.length - 1));
  });

  it.each<[number, number | undefined]>([
    [1, undefined],
    [3, 7],
    [40, 2],
  ])('reads ids of every type in ranges: %i of them', async (count, query) => {
    const name = `ranges_${count}`;
    const ids = everyId();
    await collection(name, ids.map((_id, n) => ({ _id, n })) as Document[]);
    const ranges = await splitRanges(client, namespaceOf(`shop.${name}`), count, 'primary');
    expect(ranges.length).toBeGreaterThan(count / 2);
    expect(ranges.length).toBeLessThanOrEqual(count);
    expect(ranges.map(({ from }) => from)).toEqual([null, ...ranges.slice(0, -1).map(({ to }) => to)]);
    expect(ranges.at(-1)?.to).toBe(null);
    const read = async (filter?: Document): Promise<Buffer[]> => {
      const documents: Buffer[] = [];
      for (const range of ranges) documents.push(...documentsOf(await readAll(name, 2, range, filter)));
      return documents;
    };
    expect(keysOf(await read())).toEqual(keysOf(await storedIn(name)));
    // With a query only what matches is read, wherever the bounds are.
    if (query === undefined) return;
    const matching = (await storedIn(name)).filter((document) => BSON.deserialize(document)['n'] % query === 0);
    expect(keysOf(await read({ n: { $mod: [query, 0] } }))).toEqual(keysOf(matching));
  });

  it('reads documents of which two fill a reply, and one alone does', async () => {
    const sizes = [8, 8, 8.5, 0.1, 15.9, 8, 15.9, 0.1];
    await collection('large', []);
    for (const [n, size] of sizes.entries()) {
      await client
        .db('shop')
        .collection('large')
        .insertOne({ _id: n as never, bytes: Buffer.alloc(size * MEGABYTE, n) });
    }
    const chunks = await readAll('large', 100);
    expect(chunks.length).toBeGreaterThan(4);
    const stored = await storedIn('large');
    const read = documentsOf(chunks);
    expect(read.length).toBe(sizes.length);
    expect(read.every((document, n) => document.equals(stored[n] as Buffer))).toBe(true);
  });

  it('reads a chunk as it was at its position', async () => {
    const orders = await collection('positions', [{ _id: 1 as never, n: 0 }]);
    await orders.updateOne({ _id: 1 as never }, { $set: { n: 1 } }, { writeConcern: { w: 'majority' } });
    const before = await newestMajorityPosition(client);
    const [chunk] = await readAll('positions', 10);
    const after = await newestMajorityPosition(client);
    expect(chunk?.position.compare(before)).toBeGreaterThanOrEqual(0);
    expect(chunk?.position.compare(after)).toBeLessThanOrEqual(0);
    expect(chunk?.documents).toEqual(await storedIn('positions'));
  });

  it('reads no past: the position is at or behind the one that is asked for', async () => {
    const orders = await collection('no_past', [{ _id: 1 as never }]);
    for (let n = 0; n < 20; n++) {
      await orders.updateOne({ _id: 1 as never }, { $set: { n } }, { writeConcern: { w: 1 } });
      // The newest of all, not only of those that a majority is known to hold.
      const { lastWrite } = await client.db('admin').command({ hello: 1 });
      const { ts } = lastWrite.opTime;
      const written = new Position(ts.getHighBitsUnsigned(), ts.getLowBitsUnsigned());
      const { position } = await readerOf(10).read(namespaceOf('shop.no_past'), WHOLE, written, signal);
      expect(position.compare(written)).toBeGreaterThanOrEqual(0);
    }
  });

  it('reads a capped collection, which has no reads at a cluster time', async () => {
    await collection('capped', Array.from({ length: 10 }, (_, n) => ({ _id: (n * 7) % 10 })) as unknown as Document[], {
      capped: true,
      size: MEGABYTE,
    });
    const before = await newestMajorityPosition(client);
    const chunks = await readAll('capped', 3);
    expect(documentsOf(chunks)).toEqual(await storedIn('capped'));
    expect(chunks.map(({ documents }) => documents.length)).toEqual([3, 3, 3, 1]);
    for (const { position } of chunks) expect(position.compare(before)).toBeGreaterThanOrEqual(0);
  });

  it.each<[string, CreateCollectionOptions]>([
    ['collation', { collation: { locale: 'en', strength: 2 } }],
    ['clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } }],
  ])('reads a collection with another order or another kind of index: %s', async (name, options) => {
    const ids = ['b', 'A', 'c', 'É', 'f', 'D', 'ß', { x: 'a' }, { x: 'B' }, 5];
    await collection(name, ids.map((_id) => ({ _id })) as unknown as Document[], options);
    const chunks = await readAll(name, 3);
    expect(documentsOf(chunks).length).toBe(ids.length);
    expect(documentsOf(chunks)).toEqual(await storedIn(name));
    const ranges = await splitRanges(client, namespaceOf(`shop.${name}`), 4, 'primary');
    expect(ranges.length).toBeGreaterThan(1);
    expect(documentsOf((await Promise.all(ranges.map((range) => readAll(name, 2, range)))).flat())).toEqual(await storedIn(name));
  });

  it('finds nothing where there is nothing, or no longer', async () => {
    const reader = readerOf(3);
    const gone = await collection(
      'gone',
      Array.from({ length: 9 }, (_, n) => ({ n })),
    );
    const chunk = await reader.read(namespaceOf('shop.gone'), WHOLE, ANY_TIME, signal);
    await gone.drop();
    for (const [name, range] of [
      ['gone', behind(chunk)],
      ['never_was', WHOLE],
    ] as const) {
      expect(await reader.read(namespaceOf(`shop.${name}`), range, ANY_TIME, signal)).toMatchObject({ documents: [], lastId: undefined });
    }
  });

  it('goes on behind a document that was deleted meanwhile, and finds those that came', async () => {
    const moving = await collection('moving', Array.from({ length: 9 }, (_, n) => ({ _id: n * 10 })) as unknown as Document[]);
    const reader = readerOf(3);
    const first = await reader.read(namespaceOf('shop.moving'), WHOLE, ANY_TIME, signal);
    await moving.deleteOne({ _id: 20 as never });
    await moving.insertMany([{ _id: 5 }, { _id: 25 }] as unknown as Document[], { writeConcern: { w: 'majority' } });
    const next = await reader.read(namespaceOf('shop.moving'), behind(first), await newestMajorityPosition(client), signal);
    expect(next.documents.map((document) => document.readInt32LE(9))).toEqual([25, 30, 40]);
  });

  it('reads ids that the driver has no value for, and goes on from them', async () => {
    await collection('odd', ['a', 'c', 'd', 'e'].map((_id) => ({ _id })) as unknown as Document[]);
    const raw = await RawConnection.open((mongo as Mongo).port);
    const odd = ['6161ff', '6162ff', '6163ff'].map((hex) => documentWithId({ kind: 'string', text: Buffer.from(hex, 'hex') }));
    expect(await raw.insert('shop', 'odd', odd)).toEqual([]);
    raw.close();
    for (const documents of [1, 2, 3, 5]) {
      const chunks = await readAll('odd', documents);
      expect(documentsOf(chunks)).toEqual(await storedIn('odd'));
      expect(documentsOf(chunks).length).toBe(7);
    }
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect(readerOf(3).read(namespaceOf('shop.large'), WHOLE, ANY_TIME, stop.signal)).rejects.toThrow();
  });
});
