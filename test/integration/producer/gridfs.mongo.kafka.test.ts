// The files of a GridFS bucket, from MongoDB's own driver to the topic: by the tail of either source, by a snapshot, a refresh and a sweep.
import { randomBytes } from 'node:crypto';
import { type Kafka, type Mongo, startKafka, startMongo, waitFor } from '@tailwater/devstack';
import { compileNamespaceRules, createKafka, withBuckets } from '@tailwater/runtime';
import { type FileState, fileStateOf, recordKeyOf, signalsTopicName, splitContent, topicName } from '@tailwater/schema';
import { BSON, type Db, GridFSBucket, type MongoClient, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import type { SignalBody } from '#producer/signals/signal.js';
import { foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { RunningPipeline } from './support/running-pipeline.js';

const CHUNK = 1024;
const LIMIT = 10_000;

let mongo: Mongo;
let kafka: Kafka;
let client: MongoClient;
let running: RunningPipeline | undefined;
let sequence = 0;

beforeAll(async () => {
  [mongo, kafka] = await Promise.all([startMongo(), startKafka()]);
  client = await mongo.client();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
});
afterAll(async () => {
  await Promise.all([mongo?.stop(), kafka?.stop()]);
});

interface Published {
  readonly state: FileState;
  readonly document: BSON.Document;
  readonly content: string | undefined;
}

/** One test's database and prefix. */
class Shop {
  readonly name = `shop${++sequence}`;
  readonly prefix = `tw${sequence}`;
  readonly db: Db = client.db(this.name);
  readonly bucket = new GridFSBucket(this.db, { bucketName: 'fs', chunkSizeBytes: CHUNK });

  async upload(id: unknown, content: Buffer, filename = 'a.bin'): Promise<void> {
    const stream = this.bucket.openUploadStreamWithId(id as ObjectId, filename, { metadata: { by: 'test' } });
    await new Promise<void>((resolve, reject) => stream.on('finish', resolve).on('error', reject).end(content));
  }

  /** Another content under the same id, as applications do it: there is no such operation. */
  async replace(id: unknown, content: Buffer): Promise<void> {
    await this.bucket.delete(id as ObjectId);
    await this.upload(id, content);
  }

  async start(options: Partial<Parameters<typeof RunningPipeline.start>[2]> = {}): Promise<RunningPipeline> {
    const selection = { include: [`${this.name}.orders`], gridfs: [`${this.name}.fs`] };
    running = await RunningPipeline.start(mongo, kafka, {
      prefix: this.prefix,
      ...withBuckets(selection.include, [], selection.gridfs),
      rules: compileNamespaceRules(selection),
      maxFileBytes: LIMIT,
      ...options,
    });
    return running;
  }

  /** The last record of each file that is there. */
  async published(): Promise<Map<string, Published>> {
    const { records, documents } = await foldTopic(kafka.brokers, topicName(this.prefix, { database: this.name, collection: 'fs.files' }));
    const states = new Map(records.map(({ key, headers }) => [String(key), fileStateOf(headers) as FileState]));
    return new Map(
      [...documents].map(([key, whole]): [string, Published] => {
        const { document, content } = splitContent(whole);
        return [key, { state: states.get(key) as FileState, document: BSON.deserialize(document), content: content?.toString('base64') }];
      }),
    );
  }

  /** What the topic should hold, by MongoDB. */
  async expected(): Promise<Map<string, Published>> {
    const files = new Map<string, Published>();
    for (const document of await this.db.collection('fs.files').find().toArray()) {
      const isTooLarge = Number(document['length']) > LIMIT;
      const chunks = await this.db
        .collection('fs.chunks')
        .find({ files_id: document._id }, { sort: { n: 1 } })
        .toArray();
      const content = Buffer.concat(chunks.map(({ data }) => (data as { buffer: Uint8Array }).buffer));
      files.set(recordKeyOf(document._id), {
        state: isTooLarge ? 'too-large' : 'content',
        document,
        content: isTooLarge ? undefined : content.toString('base64'),
      });
    }
    return files;
  }

  async expectCopied(): Promise<Map<string, Published>> {
    await running?.untilInStep();
    const published = await this.published();
    expect(published).toEqual(await this.expected());
    return published;
  }
}

async function uploadAll(shop: Shop): Promise<void> {
  await shop.upload(new ObjectId(), Buffer.alloc(0));
  await shop.upload('under one chunk', Buffer.from('hello'));
  await shop.upload(7, randomBytes(CHUNK));
  await shop.upload({ b: 1, a: 'x' }, randomBytes(CHUNK * 3 + 17));
  await shop.upload('at the limit', randomBytes(LIMIT));
  await shop.upload('over the limit', randomBytes(LIMIT + 1));
  await shop.upload('deleted', randomBytes(2000));
  await shop.upload('replaced', randomBytes(2000));
  await shop.upload('renamed', randomBytes(2000));
}

async function changeAll(shop: Shop): Promise<void> {
  await shop.bucket.delete('deleted' as never);
  await shop.replace('replaced', randomBytes(5000));
  await shop.bucket.rename('renamed' as never, 'another.bin');
}

describe.each(['oplog', 'change-stream'] as const)('a bucket, by the %s', (source) => {
  it('is published file by file with its contents, and nothing of its chunks is', async () => {
    const shop = new Shop();
    await shop.db.collection('orders').insertOne({});
    const pipeline = await shop.start({ source });
    await pipeline.untilInStep();
    await uploadAll(shop);
    await shop.expectCopied();
    await changeAll(shop);
    const published = await shop.expectCopied();
    expect(published.size).toBe(8);
    expect(pipeline.counts.filesTooLarge).toBeGreaterThan(0);
    const { eventsRead, eventsPublished, eventsSuperseded, eventsFiltered } = pipeline.counts;
    expect(eventsRead).toBe(eventsPublished + eventsSuperseded + eventsFiltered);
    const told = pipeline.log.filter(({ msg }) => msg.includes('is published without its content'));
    expect(told).toHaveLength(1);
    const topics = await kafka.withAdmin((admin) => admin.listTopics());
    expect(topics.filter((topic) => topic.startsWith(`${shop.prefix}.shop`)).sort()).toEqual(
      ['fs.files', 'orders'].map((collection) => topicName(shop.prefix, { database: shop.name, collection })),
    );
  });

  it('is copied by a snapshot in chunks of few bytes while it changes', async () => {
    const shop = new Shop();
    await uploadAll(shop);
    await Promise.all(Array.from({ length: 150 }, (_, n) => shop.upload(n + 100, randomBytes(n * 3))));
    const pipeline = await shop.start({ source, snapshotParallel: 1 });
    await changeAll(shop);
    await shop.expectCopied();
    expect(pipeline.failure).toBeUndefined();
  });
});

describe('a file', () => {
  it('that is deleted right after its upload is superseded by its tombstone', async () => {
    const shop = new Shop();
    await shop.db.collection('orders').insertOne({});
    const pipeline = await shop.start();
    await pipeline.untilInStep();
    for (let n = 1; n <= 20; n++) {
      await shop.upload(n, randomBytes(3000));
      await shop.bucket.delete(n as never);
    }
    await shop.expectCopied();
    expect(await shop.published()).toEqual(new Map());
    expect(pipeline.counts.filesIncomplete).toBe(0);
  });

  it('whose chunks come behind its document goes out alone, and whole with its next event', async () => {
    const shop = new Shop();
    await shop.db.collection('orders').insertOne({});
    const pipeline = await shop.start();
    await pipeline.untilInStep();
    const files = shop.db.collection<BSON.Document>('fs.files');
    const chunks = shop.db.collection<BSON.Document>('fs.chunks');
    await files.insertOne({ _id: 1, length: 10, chunkSize: CHUNK, uploadDate: new Date() } as never);
    await files.insertOne({ _id: 2, length: 3, chunkSize: CHUNK, md5: '00', uploadDate: new Date() } as never);
    await chunks.insertOne({ files_id: 2, n: 0, data: Buffer.from('abc') });
    await pipeline.untilInStep();
    expect([...(await shop.published()).values()].map(({ state }) => state)).toEqual(['incomplete', 'incomplete']);
    expect(pipeline.counts.filesIncomplete).toBe(2);
    await chunks.insertOne({ files_id: 1, n: 0, data: Buffer.from('0123456789') });
    await files.updateOne({ _id: 1 as never }, { $set: { filename: 'whole' } });
    await files.updateOne({ _id: 2 as never }, { $set: { md5: '900150983cd24fb0d6963f7d28e17f72' } });
    await shop.expectCopied();
  });

  it('that is refreshed, or found by a reconcile, comes with its content', async () => {
    const shop = new Shop();
    await uploadAll(shop);
    const pipeline = await shop.start();
    await shop.expectCopied();
    const namespace = `${shop.name}.fs.files`;
    const sending = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger);
    const ask = (body: SignalBody) =>
      writeSignal(sending, signalsTopicName(shop.prefix), { ...body, id: body.kind, askedAtMs: Date.now() });
    // A change of chunks alone is no event: whoever makes one asks for the file.
    await shop.db.collection('fs.chunks').updateOne({ files_id: 'replaced' as never, n: 0 }, { $set: { data: randomBytes(CHUNK) } });
    expect(await shop.published()).not.toEqual(await shop.expected());
    await ask({ kind: 'refresh', namespace, ids: ['replaced', 'never there'] });
    const contentOf = (files: Map<string, Published>) => files.get('"replaced"')?.content;
    const isRefreshed = async () => contentOf(await shop.published()) === contentOf(await shop.expected());
    await waitFor(isRefreshed, { until: (is) => is, describe: 'the content of the refreshed file', timeoutMs: 60_000 });
    const before = pipeline.counts.snapshotPublished;
    await ask({ kind: 'reconcile', namespace });
    await waitFor(async () => pipeline.counts.snapshotPublished - before, {
      until: (files) => files >= 9,
      describe: 'the copy',
      timeoutMs: 60_000,
    });
    await shop.expectCopied();
  });

  it('has its tombstone when its bucket was dropped meanwhile', async () => {
    const shop = new Shop();
    await shop.db.collection('orders').insertOne({});
    await uploadAll(shop);
    await shop.start();
    await shop.expectCopied();
    await running?.stop();
    await shop.bucket.drop();
    await shop.upload('new', randomBytes(100));
    await shop.start();
    const published = await shop.expectCopied();
    expect([...published.keys()]).toEqual(['"new"']);
    const { records } = await foldTopic(kafka.brokers, topicName(shop.prefix, { database: shop.name, collection: 'fs.files' }));
    const tombstones = records.filter(({ value }) => value === null);
    expect(tombstones).toHaveLength(9);
    expect(tombstones.map(({ headers }) => fileStateOf(headers))).toEqual(tombstones.map(() => 'deleted'));
  });
});

describe('large files', () => {
  it('are copied in chunks of few files', async () => {
    const shop = new Shop();
    const contents = Array.from({ length: 6 }, () => randomBytes(5 * 1024 * 1024));
    const large = new GridFSBucket(shop.db, { bucketName: 'fs' });
    for (const [n, content] of contents.entries()) {
      const stream = large.openUploadStreamWithId(`large ${n}` as never, 'large');
      await new Promise<void>((resolve, reject) => stream.on('finish', resolve).on('error', reject).end(content));
    }
    const pipeline = await shop.start({ maxFileBytes: 16 * 1024 * 1024 });
    await pipeline.untilInStep();
    const published = await shop.published();
    const isEqual = contents.map((content, n) => published.get(`"large ${n}"`)?.content === content.toString('base64'));
    expect(isEqual).toEqual(contents.map(() => true));
    expect(pipeline.counts.snapshotPublished).toBe(6);
  });
});
