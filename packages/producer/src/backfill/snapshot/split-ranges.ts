// Divides a collection into stretches of `_id`s that can be read at once. The bounds come from a sample, so that stretches hold
// about as many documents each, whatever types the ids are of; which documents lie in which does not matter to any promise.
import { RAW_DOCUMENTS } from '@tailwater/runtime';
import { findId } from '@tailwater/schema';
import { MaxKey, type MongoClient, type ReadPreferenceLike } from 'mongodb';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { SnapshotRange } from '../../checkpoint/checkpoint-record.js';
import { idDocument, idValue } from '../../source/mongo/id-value.js';
import { isMongoRefusal } from '../../source/mongo/mongo-errors.js';

/** Ids drawn for each range: their number of documents then differs by a tenth or so. */
const SAMPLE_PER_RANGE = 100;

/** The whole collection as one range. */
export const WHOLE: SnapshotRange = { from: null, lastId: null, to: null };

/**
 * Ranges that follow each other from the collection's beginning to its end; fewer than `count` where the ids do not give as
 * many bounds.
 */
export async function splitRanges(
  client: MongoClient,
  namespace: TrackedNamespace,
  count: number,
  readPreference: ReadPreferenceLike,
): Promise<SnapshotRange[]> {
  if (count < 2) return [WHOLE];
  const ids = await sampleIds(client, namespace, count * SAMPLE_PER_RANGE, readPreference);
  const bounds: string[] = [];
  for (let part = 1; part < count; part++) {
    const bound = ids[Math.floor((part * ids.length) / count)];
    if (bound !== undefined && bound !== bounds.at(-1)) bounds.push(bound);
  }
  return [null, ...bounds].map((from, index) => ({ from, lastId: null, to: bounds[index] ?? null }));
}

/** Ids in the order of the collection's index, which is the server's business, as base64 of `{_id}`. */
async function sampleIds(
  client: MongoClient,
  namespace: TrackedNamespace,
  size: number,
  readPreference: ReadPreferenceLike,
): Promise<string[]> {
  const pipeline = [{ $sample: { size } }, { $project: { _id: 1 } }, { $sort: { _id: 1 } }];
  const collection = client.db(namespace.database).collection(namespace.collection);
  try {
    const documents = (await collection.aggregate(pipeline, { ...RAW_DOCUMENTS, readPreference }).toArray()) as unknown as Uint8Array[];
    return documents.map((document) => boundOf(Buffer.from(document))).filter((bound) => bound !== undefined);
  } catch (error) {
    // A server that cannot draw a sample (too many duplicates, a collection that is gone) has one range.
    if (isMongoRefusal(error)) return [];
    throw error;
  }
}

/** Undefined for the few ids that cannot be queried by, and the greatest, which `min` and `max` do not include. */
function boundOf(document: Buffer): string | undefined {
  const id = findId(document);
  if (id === undefined) return undefined;
  const value = idValue(document, id.type, id.start, id.end);
  if (value === undefined || value instanceof MaxKey) return undefined;
  return idDocument(document, id.type, id.start, id.end).toString('base64');
}
