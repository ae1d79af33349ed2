// The limit of the consumer into MongoDB: bulkWrite operations that are ready, at the same batch size and concurrency.
import { MongoClient } from 'mongodb';
import { baselineArguments, reportBaseline } from '../measure/baseline.js';
import { order } from '../measure/documents.js';

const { uri, collection, documents, batchDocuments, concurrency } = baselineArguments<{
  uri: string;
  collection: string;
  documents: number;
  batchDocuments: number;
  concurrency: number;
}>();

const batches = Array.from({ length: Math.ceil(documents / batchDocuments) }, (_, batch) =>
  Array.from({ length: Math.min(batchDocuments, documents - batch * batchDocuments) }, (_, n) => {
    const replacement = order(batch * batchDocuments + n);
    return { replaceOne: { filter: { _id: replacement['_id'] }, replacement, upsert: true } };
  }),
);
const client = new MongoClient(uri, { writeConcern: { w: 'majority' } });
await client.connect();
const target = client.db('bench').collection(collection);
const startedAtMs = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: concurrency }, async () => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) await target.bulkWrite(batch, { ordered: false });
  }),
);
await reportBaseline(documents, startedAtMs);
await client.close();
