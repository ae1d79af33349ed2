// Which of some keys are documents of the source. A majority read (promise G) of nothing but their `_id`s.
import { performance } from 'node:perf_hooks';
import { findId, type Position, recordKey } from '@tailwater/schema';
import { type MongoClient, Timestamp } from 'mongodb';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import { newestMajorityPosition } from '../source/oplog/oplog-window.js';

/** Record keys, and for each the `_id` to query by; undefined for the few that the driver has no value for. */
export type KeyedIds = ReadonlyMap<string, unknown>;

/** What a read found. */
export interface Presence {
  readonly present: ReadonlySet<string>;
  /** At or behind the read: a key that was not found, and that the tail does not touch, is not there at this position. */
  readonly position: Position;
  /** When the read was over, in milliseconds of the monotonic clock. */
  readonly readAtMs: number;
}

export class SourceKeys {
  readonly #client: MongoClient;

  constructor(client: MongoClient) {
    this.#client = client;
  }

  /** @param notBefore - a member that has not come that far waits, so that a new primary does not show the past */
  async find(namespace: TrackedNamespace, ids: KeyedIds, notBefore: Position, signal: AbortSignal): Promise<Presence> {
    const queried = [...ids.values()].filter((id) => id !== undefined);
    const present = new Set<string>();
    const take = (key: string): void => void (ids.has(key) && present.add(key));
    if (queried.length > 0) await this.#read(namespace, { _id: { $in: queried } }, notBefore, signal, take);
    // An id that cannot be queried by is looked for among all of them: slow, and as rare as such ids.
    if (queried.length < ids.size) await this.#read(namespace, {}, notBefore, signal, take);
    return { present, position: await newestMajorityPosition(this.#client), readAtMs: performance.now() };
  }

  async #read(
    { database, collection }: TrackedNamespace,
    filter: object,
    { t, i }: Position,
    signal: AbortSignal,
    take: (key: string) => void,
  ): Promise<void> {
    await this.#client.withSession({ causalConsistency: true }, async (session) => {
      session.advanceOperationTime(new Timestamp({ t, i }));
      const cursor = this.#client
        .db(database)
        .collection(collection)
        .find(filter, { projection: { _id: 1 }, raw: true, session, readConcern: 'majority', batchSize: 2000, signal });
      for await (const bytes of cursor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>) {
        const document = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const id = findId(document);
        if (id !== undefined) take(recordKey(document, id.type, id.start));
      }
    });
  }
}
