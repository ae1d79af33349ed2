// Documents of a collection as raw BSON: committed ones (promise G), as they were at a position or later.
import type { Namespace, Position } from '@tailwater/schema';
import type { Document, MongoClient } from 'mongodb';
import { readAfter } from './read-after.js';

export interface DocumentQuery {
  readonly filter: Document;
  /** A member that has not come that far waits, so that none shows the past. */
  readonly notBefore: Position;
  /** Nothing but the `_id`s, and of a collection alone: a view, which has no documents of its own, refuses. */
  readonly idsOnly?: boolean;
  readonly batchSize: number;
  readonly signal?: AbortSignal;
}

/**
 * Hands each document that matches to `take`; once more from the beginning where a member lags too far behind.
 *
 * @param take - false when it takes no more
 * @returns whether all of them were taken
 */
export function readDocuments(
  client: MongoClient,
  { database, collection }: Namespace,
  { filter, notBefore, idsOnly = false, batchSize, signal }: DocumentQuery,
  take: (document: Buffer) => boolean,
): Promise<boolean> {
  return readAfter(client, notBefore, async (session) => {
    const options = {
      raw: true,
      session,
      readConcern: 'majority',
      batchSize,
      ...(idsOnly ? { projection: { _id: 1 }, showRecordId: true } : {}),
    } as const;
    const cursor = client
      .db(database)
      .collection(collection)
      .find(filter, { ...options, ...(signal === undefined ? {} : { signal }) });
    try {
      // By the reply, not by the document: a document each through an iterator costs more than its read.
      while (await cursor.hasNext()) {
        for (const bytes of cursor.readBufferedDocuments() as unknown as Uint8Array[])
          if (take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) === false) return false;
      }
      return true;
    } finally {
      await cursor.close();
    }
  });
}
