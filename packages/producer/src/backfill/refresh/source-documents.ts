// The documents of some keys, as the source has them now.
import { findId, type Position, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import { divideMemory } from '../../memory/memory-shares.js';
import { readDocuments } from '../../source/mongo/read-documents.js';
import { newestMajorityPosition } from '../../source/oplog/oplog-window.js';
import type { IdsByKey } from '../source-keys.js';

export interface FoundDocuments {
  /** By record key. */
  readonly documents: ReadonlyMap<string, Buffer>;
  /** Whether the keys that it lacks are not there; else they may only not have been read. */
  readonly isWhole: boolean;
  /** At or behind the read: a key that the tail does not touch since is as it was found. */
  readonly position: Position;
}

export class SourceDocuments {
  readonly #client: MongoClient;
  readonly #maxBytes: number;

  /** @param maxBytes - of documents that are read at once, but for one that is larger by itself */
  constructor(client: MongoClient, maxBytes: number = divideMemory().lookup) {
    this.#client = client;
    this.#maxBytes = maxBytes;
  }

  async find(namespace: TrackedNamespace, ids: IdsByKey, notBefore: Position, signal: AbortSignal): Promise<FoundDocuments> {
    const documents = new Map<string, Buffer>();
    let bytes = 0;
    const query = { filter: { _id: { $in: [...ids.values()] } }, notBefore, batchSize: ids.size, signal };
    const isWhole = await readDocuments(this.#client, namespace, query, (document) => {
      const id = findId(document);
      const key = id === undefined ? undefined : recordKey(document, id.type, id.start);
      // A collection whose collation holds two ids equal may give another one than was asked for.
      if (key === undefined || !ids.has(key)) return true;
      if (documents.size > 0 && bytes + document.length > this.#maxBytes) return false;
      documents.set(key, document);
      bytes += document.length;
      return true;
    });
    return { documents, isWhole, position: await newestMajorityPosition(this.#client) };
  }
}
