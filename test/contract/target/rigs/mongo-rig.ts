// MongoDB for the contract suite: what is read is compared byte by byte.
import { MongoTarget } from '@tailwater/consumer';
import { startMongo } from '@tailwater/devstack';
import type { Namespace } from '@tailwater/schema';
import type { Document } from 'bson';
import { MongoClient } from 'mongodb';
import { everyType, raw } from '#test/integration/consumer/support/bson-zoo.js';
import type { Rig } from '../rig.js';

/** Bytes as characters: lists of 16 million numbers are more than a comparison of tests can take. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export async function startMongoRig(): Promise<Rig> {
  const mongo = await startMongo();
  const client = await new MongoClient(mongo.uri).connect();
  const collection = (namespace: Namespace) => client.db(namespace.database).collection<Document>(namespace.collection);
  return {
    target: (settings = {}) => new MongoTarget({ url: mongo.uri, connectTimeoutMs: 20_000, requestTimeoutMs: 30_000, ...settings }),
    port: Number(mongo.members[0]?.port),
    urlAt: (port) => `mongodb://127.0.0.1:${port}/?directConnection=true`,
    prepare: () => Promise.resolve(),
    async read(namespace, id) {
      const [found] = await collection(namespace)
        .find({ _id: { $eq: id } } as Document, { raw: true })
        .toArray();
      return found === undefined ? undefined : text(found as unknown as Uint8Array);
    },
    count: (namespace) => collection(namespace).countDocuments(),
    async refuseTextInN({ database, collection: name }) {
      await client.db(database).createCollection(name, { validator: { n: { $not: { $type: 'string' } } } });
    },
    kill: async () => mongo.members[0]?.kill9(),
    async start() {
      await mongo.members[0]?.start();
      await mongo.primary();
    },
    async stop() {
      await client.close();
      await mongo.stop();
    },
    expectations: {
      keepsStates: false,
      staleVersions: 'ordered',
      textField: 'text',
      plain: (id, fields) => text(raw({ _id: id, ...fields })),
      everyType: (id) => text(everyType(id)),
    },
  };
}
