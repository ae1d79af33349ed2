// Which of some keys are documents of the source. A majority read (promise G) of nothing but their `_id`s.
import { findId, type Position, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { TrackedNamespace } from '../changes/change-batch.js';
import { isRefusedByView } from '../source/mongo/namespace-kinds.js';
import { readDocuments } from '../source/mongo/read-documents.js';
import { newestMajorityPosition } from '../source/oplog/oplog-window.js';

/** Record keys, and for each the `_id` to query by; undefined for the few that the driver has no value for. */
export type IdsByKey = ReadonlyMap<string, unknown>;

/** What a read found. */
export interface Presence {
  readonly present: ReadonlySet<string>;
  /** At or behind the read: a key that was not found, and that the tail does not touch, is not there at this position. */
  readonly position: Position;
}

export class SourceKeys {
  readonly #client: MongoClient;

  constructor(client: MongoClient) {
    this.#client = client;
  }

  /** @param notBefore - a member that has not come that far waits, so that a new primary does not show the past */
  async find(namespace: TrackedNamespace, ids: IdsByKey, notBefore: Position, signal: AbortSignal): Promise<Presence> {
    const queried = [...ids.values()].filter((id) => id !== undefined);
    const present = new Set<string>();
    const take = (document: Buffer): boolean => {
      const id = findId(document);
      const key = id === undefined ? undefined : recordKey(document, id.type, id.start);
      if (key !== undefined && ids.has(key)) present.add(key);
      return true;
    };
    const query = { notBefore, idsOnly: true, batchSize: 2000, signal };
    try {
      if (queried.length > 0) await readDocuments(this.#client, namespace, { ...query, filter: { _id: { $in: queried } } }, take);
      // An id that cannot be queried by is looked for among all of them: slow, and as rare as such ids.
      if (queried.length < ids.size) await readDocuments(this.#client, namespace, { ...query, filter: {} }, take);
    } catch (error) {
      // The collection is gone, and its name is a view's now: what that shows are other collections' documents.
      if (!isRefusedByView(error)) throw error;
      present.clear();
    }
    return { present, position: await newestMajorityPosition(this.#client) };
  }
}
