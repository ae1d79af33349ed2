// Every document of a collection, byte for byte, by its record key.
import { findId, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { compareByKey, type Differences } from './differences.js';

/** Reads the raw BSON of every document. */
export async function readRawDocuments(client: MongoClient, database: string, collection: string): Promise<Map<string, Buffer>> {
  const documents = new Map<string, Buffer>();
  const cursor = client
    .db(database)
    .collection(collection)
    .find({}, { raw: true, batchSize: 5000, readConcern: 'majority', readPreference: 'primary' });
  for await (const raw of cursor as AsyncIterable<unknown>) {
    const bytes = raw as Uint8Array;
    // A copy: the driver's buffer holds the whole reply.
    const document = Buffer.from(bytes);
    const id = findId(document);
    if (id !== undefined) documents.set(recordKey(document, id.type, id.start), document);
  }
  return documents;
}

/** Compares a collection with its copy in another MongoDB: equal means the same bytes. */
export async function compareMongo(source: MongoClient, target: MongoClient, database: string, collection: string): Promise<Differences> {
  const [expected, actual] = await Promise.all([
    readRawDocuments(source, database, collection),
    readRawDocuments(target, database, collection),
  ]);
  return compareByKey(expected, actual, (left, right) => left.equals(right));
}
