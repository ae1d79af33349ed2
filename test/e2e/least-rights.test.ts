// A whole sync by two users who may do no more than the documentation says: one reads, the other writes.
import { type Kafka, type Mongo, PipelineProcess, startKafka, startMongo, waitFor } from '@tailwater/devstack';
import { GridFSBucket, type MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { documentedRoles, userWithRole } from '#test/support/documented-roles.js';

const COLLECTIONS = ['orders', 'fs.files', 'fs.chunks'];

let mongo: Mongo;
let kafka: Kafka;
let root: MongoClient;
const processes: PipelineProcess[] = [];

beforeAll(async () => {
  [mongo, kafka] = await Promise.all([startMongo({ auth: true }), startKafka()]);
  root = await mongo.client();
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.stop()));
});
afterAll(() => Promise.all([mongo?.stop(), kafka?.stop()]));

/** The connection string of a user with the role. */
async function userOf(role: string, name: string): Promise<string> {
  const found = (await documentedRoles()).find((each) => each.role === role);
  if (found === undefined) throw new Error(`docs/07-security.md makes no role ${role}`);
  return mongo.uriFor(await userWithRole(root, name, found));
}

/** Every document of a collection, without the ids of chunks, which are the target's own. */
async function contents(database: string, collection: string): Promise<string[]> {
  const isChunks = collection.endsWith('.chunks');
  const options = { raw: true, ...(isChunks ? { projection: { _id: 0 } } : {}) };
  const documents = await root.db(database).collection(collection).find({}, options).toArray();
  return documents.map((each) => Buffer.from(each as unknown as Uint8Array).toString('hex')).sort();
}

async function upload(name: string, text: string): Promise<void> {
  const stream = new GridFSBucket(root.db('shop'), { chunkSizeBytes: 1000 }).openUploadStream(name);
  await new Promise<void>((resolve, reject) => stream.on('finish', resolve).on('error', reject).end(text));
}

describe('the documented least rights', () => {
  it.each([
    ['oplog', 'tailwaterOplog'],
    ['change-stream', 'tailwaterStream'],
  ])('are enough for a whole sync from %s to MongoDB, files included', async (source, role) => {
    await root.db('copy').dropDatabase();
    await root.db('shop').dropDatabase();
    const orders = root.db('shop').collection<{ _id: number; n: number }>('orders');
    await orders.insertMany(Array.from({ length: 200 }, (_, id) => ({ _id: id, n: id })));
    await upload('before', 'x'.repeat(5_000));
    const common = ['--kafka', kafka.brokers.join(','), '--prefix', source, '--include', 'shop.*'];
    const reader = ['--mongo', await userOf(role, `reader-${source}`), '--source', source, '--gridfs', 'shop.fs'];
    processes.push(await PipelineProcess.start('producer', [...common, ...reader]));
    const writer = ['--target', 'mongo', '--target-url', await userOf('tailwaterTarget', `writer-${source}`), '--rename', 'shop.*=copy.*'];
    processes.push(await PipelineProcess.start('consumer', [...common, ...writer]));
    const untilEqual = (): Promise<unknown> =>
      waitFor(
        async () => {
          const pairs = COLLECTIONS.map(async (name) => [await contents('shop', name), await contents('copy', name)] as const);
          return (await Promise.all(pairs)).map(([here, there]) => [here.length, JSON.stringify(here) === JSON.stringify(there)] as const);
        },
        {
          describe: (found) => `equal contents of ${COLLECTIONS.join(', ')}: ${JSON.stringify(found)}`,
          until: (found) => found.every(([count, isEqual]) => count > 0 && isEqual),
          timeoutMs: 90_000,
        },
      );
    await untilEqual();
    await orders.updateMany({ _id: { $lt: 50 } }, { $inc: { n: 1000 } });
    await orders.deleteMany({ _id: { $gte: 150 } });
    await upload('after', 'y'.repeat(2_500));
    await untilEqual();
    expect(await orders.countDocuments()).toBe(150);
  });
});
