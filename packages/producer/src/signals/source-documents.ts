// The documents of some keys, as the source has them now.
import { findId, type Position, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import { readDocuments } from '../source/mongo/read-documents.js';
import { newestMajorityPosition } from '../source/oplog/oplog-window.js';
import type { KeyedIds } from '../sweep/source-keys.js';

export interface FoundDocuments {
  /** By record key. */
  readonly documents: ReadonlyMap<string, Buffer>;
  /** At or behind the read: a key that the tail does not touch since is as it was found. */
  readonly position: Position;
}

export class SourceDocuments {
  readonly #client: MongoClient;

  constructor(client: MongoClient) {
    this.#client = client;
  }

  async find(namespace: TrackedNamespace, ids: KeyedIds, notBefore: Position, signal: AbortSignal): Promise<FoundDocuments> {
    const documents = new Map<string, Buffer>();
    const query = { filter: { _id: { $in: [...ids.values()] } }, notBefore, batchSize: ids.size, signal };
    await readDocuments(this.#client, namespace, query, (document) => {
      const id = findId(document);
      const key = id === undefined ? undefined : recordKey(document, id.type, id.start);
      // A collection whose collation holds two ids equal may give another one than was asked for.
      if (key !== undefined && ids.has(key)) documents.set(key, document);
    });
    return { documents, position: await newestMajorityPosition(this.#client) };
  }
}
