// Files in a bucket of a MongoDB target, which readers see whole or not at all.
import { createHash, randomBytes } from 'node:crypto';
import { type Mongo, startMongo } from '@tailwater/devstack';
import type { Position } from '@tailwater/schema';
import { type Document, GridFSBucket, Long, type MongoClient, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { MongoTarget, type MongoTargetOptions } from '#consumer/targets/mongo/mongo.js';
import { change } from '#test/unit/consumer/support/changes.js';
import { raw } from '../support/bson-zoo.js';

const FILES = { database: 'shop', collection: 'fs.files' };
const never = new AbortController().signal;
const APPLIED = { status: 'applied' };

let mongo: Mongo;
let client: MongoClient;
let sequence = 0;
const targets: MongoTarget[] = [];
const bucket = () => new GridFSBucket(client.db('shop'), { bucketName: 'fs' });
const chunks = () => client.db('shop').collection('fs.chunks');

beforeAll(async () => {
  mongo = await startMongo({ members: 0 });
  client = await mongo.client();
});
beforeEach(() => client.db('shop').dropDatabase());
afterEach(async () => {
  for (const target of targets.splice(0)) await target.close();
});
afterAll(() => mongo?.stop());

async function connected(options: Partial<MongoTargetOptions> = {}): Promise<MongoTarget> {
  const target = new MongoTarget({ url: mongo.uri, connectTimeoutMs: 5_000, requestTimeoutMs: 30_000, ...options });
  targets.push(target);
  await target.connect(never);
  return target;
}

function file(id: unknown, content: Buffer, fields: Document = {}): Change {
  const document = raw({ _id: id, length: content.length, chunkSize: 1000, uploadDate: new Date(0), filename: 'f', ...fields });
  return change(id, ++sequence, { namespace: FILES, document, file: { state: 'content', content } });
}

const removed = (id: unknown): Change =>
  change(id, ++sequence, { namespace: FILES, kind: 'delete', op: 'delete', document: Buffer.alloc(0), file: { state: 'deleted' } });

async function download(id: unknown): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of bucket().openDownloadStream(id as ObjectId)) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const md5 = (content: Buffer): string => createHash('md5').update(content).digest('hex');

describe('files', () => {
  it('arrive with their documents and contents, whatever their ids and sizes', async () => {
    const target = await connected();
    const contents = new Map<unknown, Buffer>([
      [new ObjectId(), Buffer.alloc(0)],
      ['text', Buffer.from('hello')],
      [7, randomBytes(1000)],
      [Long.fromNumber(8), randomBytes(1001)],
      [{ b: 1, a: 'x' }, randomBytes(123_456)],
      ['large', randomBytes(17 * 1024 * 1024)],
    ]);
    const changes = [...contents].map(([id, content]) => file(id, content, id === 'large' ? { chunkSize: 255 * 1024 } : {}));
    const documents = [change('beside', ++sequence), ...changes];
    expect(await target.applyBatch(documents, never)).toEqual(documents.map(() => APPLIED));
    for (const [id, content] of contents) expect(md5(await download(id))).toBe(md5(content));
    const stored = await client.db('shop').collection('fs.files').find({}, { raw: true }).toArray();
    expect(stored.map((each) => Buffer.from(each as unknown as Uint8Array).toString('hex')).sort()).toEqual(
      changes.map(({ document }) => document.toString('hex')).sort(),
    );
    const indexes = (await chunks().indexes()).find(({ name }) => name === 'files_id_1_n_1');
    expect(indexes).toMatchObject({ unique: true });
  });

  it('change: the content is another one, nothing is left of the one before', async () => {
    const target = await connected();
    await target.applyBatch([file(1, randomBytes(5000)), file(2, randomBytes(10))], never);
    const content = randomBytes(1500);
    await target.applyBatch([file(1, content)], never);
    expect(await download(1)).toEqual(content);
    expect(await chunks().countDocuments()).toBe(3);
  });

  it('keep their chunks when only the document changes, and when a record comes again', async () => {
    const target = await connected();
    const content = randomBytes(5000);
    await target.applyBatch([file(1, content), file(2, Buffer.alloc(0))], never);
    const before = await chunks().find().toArray();
    await target.applyBatch([file(1, content, { filename: 'other' }), file(2, Buffer.alloc(0))], never);
    expect(await chunks().find().toArray()).toEqual(before);
    expect(
      await bucket()
        .find({ _id: 1 as never })
        .next(),
    ).toMatchObject({ filename: 'other' });
  });

  it('go, document and chunks, also twice', async () => {
    const target = await connected();
    await target.applyBatch([file(1, randomBytes(5000)), file('b', randomBytes(5000))], never);
    expect(await target.applyBatch([removed(1), removed('never there')], never)).toEqual([APPLIED, APPLIED]);
    await target.applyBatch([removed(1)], never);
    expect(
      await bucket()
        .find()
        .map(({ _id }) => _id as unknown)
        .toArray(),
    ).toEqual(['b']);
    expect(await chunks().distinct('files_id')).toEqual(['b']);
  });

  it('whose texts are not UTF-8 arrive as they are, and bytes that are no document are refused alone', async () => {
    const target = await connected();
    const content = randomBytes(1500);
    const latin = file(1, content);
    latin.document[latin.document.indexOf('\x02\0\0\0f') + 4] = 0xff;
    const broken = file(2, content);
    broken.document.writeInt32LE(0x7fff_fff0, broken.document.indexOf('filename') + 'filename'.length + 1);
    const odd = { ...removed(3), key: '{"$date":"never"}' };
    for (let time = 0; time < 2; time++) {
      const results = await target.applyBatch([latin, broken, odd, file(4, content)], never);
      expect(results).toMatchObject([APPLIED, { status: 'rejected', retriable: false }, { status: 'rejected', code: 'TW1377' }, APPLIED]);
    }
    expect(await download(4)).toEqual(content);
    const [stored] = await client
      .db('shop')
      .collection('fs.files')
      .find({ _id: 1 as never }, { raw: true })
      .toArray();
    expect(Buffer.from(stored as unknown as Uint8Array)).toEqual(latin.document);
    expect(await chunks().countDocuments({ files_id: 1 as never })).toBe(2);
  });

  it('are told apart in a bucket whose collation folds their ids: what it cannot hold waits', async () => {
    for (const name of ['fs.files', 'fs.chunks'])
      await client.db('shop').createCollection(name, { collation: { locale: 'en', strength: 1 } });
    const target = await connected();
    const [one, other] = [randomBytes(1500), randomBytes(1500)];
    expect(await target.applyBatch([file('A', one)], never)).toEqual([APPLIED]);
    expect(await target.applyBatch([file('a', other)], never)).toMatchObject([{ code: 'TW1378', scope: 'place' }]);
    expect(await target.applyBatch([removed('a')], never)).toEqual([APPLIED]);
    expect(await download('A')).toEqual(one);
  });

  it('begin anew over the chunks that a crash has left', async () => {
    const target = await connected();
    await chunks().insertMany([0, 1, 2].map((n) => ({ files_id: 1, n, data: randomBytes(1000) })));
    const content = randomBytes(1500);
    await target.applyBatch([file(1, content)], never);
    expect(await download(1)).toEqual(content);
    expect(await chunks().countDocuments()).toBe(2);
  });

  it('whose content the topic lacks are refused, and what the target has of them stays', async () => {
    const target = await connected();
    const content = randomBytes(1500);
    await target.applyBatch([file(1, content)], never);
    const without = (state: 'too-large' | 'incomplete') => ({ ...file(1, randomBytes(1)), file: { state } });
    const elsewhere = { ...file(2, content), namespace: { database: 'shop', collection: 'renamed' } };
    expect(await target.applyBatch([without('too-large')], never)).toMatchObject([
      { status: 'rejected', code: 'TW1380', retriable: false },
    ]);
    expect(await target.applyBatch([without('incomplete')], never)).toMatchObject([{ status: 'rejected', code: 'TW1380' }]);
    expect(await target.applyBatch([elsewhere], never)).toMatchObject([{ status: 'rejected', code: 'TW1381' }]);
    expect(await download(1)).toEqual(content);
  });

  it('that are older than what the target holds touch nothing, where versions are kept', async () => {
    const target = await connected({ versionField: 'version' });
    const old = file(1, randomBytes(1500));
    const deleted = removed(1);
    const content = randomBytes(2500);
    await target.applyBatch([file(1, content)], never);
    expect(await target.applyBatch([old], never)).toEqual([{ status: 'superseded' }]);
    expect(await target.applyBatch([deleted], never)).toEqual([{ status: 'superseded' }]);
    expect(await download(1)).toEqual(content);
    const stored = await bucket()
      .find({ _id: 1 as never })
      .next();
    expect(stored).toMatchObject({ version: expect.anything() });
    expect((old.position as Position).version).toBeGreaterThan(0n);
  });
});

describe('a reader', () => {
  it('never finds a document without all of its chunks, while files come, change and go', async () => {
    const target = await connected();
    const stop = new AbortController();
    let reads = 0;
    const reading = (async () => {
      while (!stop.signal.aborted) {
        const [document] = await client
          .db('shop')
          .collection('fs.files')
          .aggregate([
            { $match: { _id: 1 } },
            { $lookup: { from: 'fs.chunks', localField: '_id', foreignField: 'files_id', as: 'chunks' } },
          ])
          .toArray();
        if (document === undefined) continue;
        reads += 1;
        const bytes = (document['chunks'] as { data: { length(): number } }[]).reduce((sum, { data }) => sum + data.length(), 0);
        // The two collections are not read at one moment: a file that went in between may lack chunks.
        const still = await bucket()
          .find({ _id: 1 as never })
          .next();
        if (still?.filename === document['filename']) expect(bytes).toBe(document['length']);
      }
    })();
    for (let n = 0; n < 60; n++) {
      await target.applyBatch([file(1, randomBytes(1000 * (1 + (n % 7))), { filename: `v${n}` })], never);
      if (n % 10 === 9) await target.applyBatch([removed(1)], never);
    }
    stop.abort();
    await reading;
    expect(reads).toBeGreaterThan(0);
  });
});
