// Publishes single documents as they are now, beside the tail: read in a window of touched keys like a chunk of a snapshot, so
// that promise B holds. What the source does not have gets its tombstone.
import { performance } from 'node:perf_hooks';
import { findId, type Position, recordKey, recordKeyOf } from '@tailwater/schema';
import { type MongoClient, Timestamp } from 'mongodb';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import type { Sequencer } from '../sequence/sequencer.js';
import type { TailProgress } from '../sequence/tail-progress.js';
import type { Chunk } from '../snapshot/chunk-reader.js';
import type { TouchedKeys } from '../snapshot/touched-keys.js';
import { newestMajorityPosition } from '../source/oplog/oplog-window.js';
import type { SourceKeys } from '../sweep/source-keys.js';

/** Documents read and published at once: few enough that even large ones fit into memory. */
const GROUP_DOCUMENTS = 32;

export interface RefresherDependencies {
  readonly client: MongoClient;
  /** Of a source of many parts it knows the keys of all of them: what is absent here may be there. */
  readonly keys: Pick<SourceKeys, 'find'>;
  readonly sequencer: Sequencer;
  readonly progress: TailProgress;
  readonly touched: TouchedKeys;
}

export interface Refreshed {
  /** Of the ids, how many the source has, and how many got a tombstone. */
  readonly present: number;
  readonly absent: number;
}

export class Refresher {
  readonly #deps: RefresherDependencies;

  constructor(deps: RefresherDependencies) {
    this.#deps = deps;
  }

  async refresh(namespace: TrackedNamespace, ids: readonly unknown[], signal: AbortSignal): Promise<Refreshed> {
    const byKey = new Map(ids.map((id): [string, unknown] => [recordKeyOf(id), id]));
    let [present, absent] = [0, 0];
    for (let from = 0; from < byKey.size; from += GROUP_DOCUMENTS) {
      const group = new Map([...byKey].slice(from, from + GROUP_DOCUMENTS));
      const read = await this.#publish(namespace, group, signal);
      present += read.documents.length;
      absent += read.absent.length;
    }
    return { present, absent };
  }

  async #publish(namespace: TrackedNamespace, ids: ReadonlyMap<string, unknown>, signal: AbortSignal): Promise<Read> {
    const { sequencer, touched } = this.#deps;
    while (true) {
      signal.throwIfAborted();
      const window = touched.open(namespace);
      try {
        const read = await this.#read(namespace, ids, window.after, signal);
        if (await sequencer.chunk(window, read, 'refresh', () => [], signal)) return read;
        // Another collection has taken the name, or none has: what was read was the old one's.
      } finally {
        touched.close(window);
      }
    }
  }

  async #read(namespace: TrackedNamespace, ids: ReadonlyMap<string, unknown>, touched: Position, signal: AbortSignal): Promise<Read> {
    const { client, keys, progress } = this.#deps;
    const notBefore = progress.end.compare(touched) > 0 ? progress.end : touched;
    const documents = new Map<string, Buffer>();
    await client.withSession({ causalConsistency: true }, async (session) => {
      session.advanceOperationTime(new Timestamp({ t: notBefore.t, i: notBefore.i }));
      const cursor = client
        .db(namespace.database)
        .collection(namespace.collection)
        .find({ _id: { $in: [...ids.values()] as never[] } }, { raw: true, session, readConcern: 'majority', signal });
      for await (const bytes of cursor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>) {
        const document = Buffer.from(bytes);
        const id = findId(document);
        const key = id === undefined ? undefined : recordKey(document, id.type, id.start);
        // A collection whose collation holds two ids equal may give another one than was asked for.
        if (key !== undefined && ids.has(key)) documents.set(key, document);
      }
    });
    const missing = new Map([...ids].filter(([key]) => !documents.has(key)));
    const elsewhere = missing.size === 0 ? undefined : (await keys.find(namespace, missing, notBefore, signal)).present;
    const absent = [...missing.keys()].filter((key) => elsewhere?.has(key) !== true);
    const position = await newestMajorityPosition(client);
    return { documents: [...documents.values()], absent, position, lastId: undefined, readAtMs: performance.now() };
  }
}

type Read = Chunk & { readonly absent: readonly string[] };
