// Reads a collection in `_id` order, one chunk a query, as raw BSON. From MongoDB 5.0 a chunk is read at one cluster time,
// which is its rows' position; older servers give their newest majority position behind the read.
import { performance } from 'node:perf_hooks';
import { BsonCursor, BsonType, findId, Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import { idDocument, idOf } from '../source/mongo/id-value.js';
import { newestMajorityPosition } from '../source/oplog/oplog-window.js';

/** MongoDB 5.0's wire version, the first with snapshot reads outside of transactions. */
const SNAPSHOT_READS_WIRE_VERSION = 13;
/** InvalidOptions, SnapshotUnavailable: capped collections, for one, cannot be read at a cluster time. */
const SNAPSHOT_REFUSED = new Set([72, 246]);

export interface Chunk {
  readonly documents: readonly Buffer[];
  /** Where in the oplog the rows stand: each is as it was then, unless the tail has touched it since. */
  readonly position: Position;
  /** The BSON document `{_id}` of the last row, from which the next chunk is read; undefined when there was none. */
  readonly lastId: Buffer | undefined;
  /** When the read was over, in milliseconds of the monotonic clock. */
  readonly readAtMs: number;
}

export class ChunkReader {
  readonly #client: MongoClient;
  readonly #documents: number;

  /** @param documents - how many a chunk holds at most; the server bounds it to 16 MB as well */
  constructor(client: MongoClient, documents: number) {
    this.#client = client;
    this.#documents = documents;
  }

  /** The chunk behind `after`, the BSON document `{_id}` that the last one ended with. An empty one is the collection's end. */
  async read(namespace: TrackedNamespace, after: Buffer | undefined, signal: AbortSignal): Promise<Chunk> {
    const hello = await this.#client.db('admin').command({ hello: 1 });
    if (Number(hello['maxWireVersion']) >= SNAPSHOT_READS_WIRE_VERSION) {
      try {
        const reply = await this.#find(namespace, after, 'snapshot', signal);
        if (reply.clusterTime !== undefined) return toChunk(reply.documents, reply.clusterTime);
      } catch (error) {
        if (!SNAPSHOT_REFUSED.has(Number((error as { code?: unknown }).code))) throw error;
      }
    }
    const { documents } = await this.#find(namespace, after, 'majority', signal);
    return toChunk(documents, await newestMajorityPosition(this.#client));
  }

  async #find(
    namespace: TrackedNamespace,
    after: Buffer | undefined,
    level: 'snapshot' | 'majority',
    signal: AbortSignal,
  ): Promise<FindReply> {
    const last = after === undefined ? undefined : idOf(after);
    // `min` bounds the index itself: unlike $gt it does not stop at values of another type, so ids of mixed types are all
    // read. It includes its bound, which the filter leaves out.
    const bound = after === undefined ? {} : { filter: { _id: { $ne: last } }, min: { _id: last } };
    const reply = await this.#client.db(namespace.database).command(
      {
        find: namespace.collection,
        ...bound,
        hint: { _id: 1 },
        sort: { _id: 1 },
        limit: this.#documents,
        batchSize: this.#documents,
        singleBatch: true,
        readConcern: { level },
      },
      { raw: true, signal },
    );
    return parseFindReply(reply['cursor'] as Uint8Array);
  }
}

interface FindReply {
  readonly documents: Buffer[];
  readonly clusterTime: Position | undefined;
}

function parseFindReply(raw: Uint8Array): FindReply {
  const source = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const documents: Buffer[] = [];
  let clusterTime: Position | undefined;
  const reply = new BsonCursor();
  const batch = new BsonCursor();
  reply.enter(source, 0);
  while (reply.next()) {
    const name = reply.name();
    if (name === 'firstBatch') {
      batch.enter(source, reply.valueStart);
      while (batch.next()) documents.push(source.subarray(batch.valueStart, batch.valueEnd));
    } else if (name === 'atClusterTime' && reply.type === BsonType.timestamp) {
      clusterTime = new Position(source.readUInt32LE(reply.valueStart + 4), source.readUInt32LE(reply.valueStart));
    }
  }
  return { documents, clusterTime };
}

function toChunk(documents: Buffer[], position: Position): Chunk {
  const last = documents.at(-1);
  const id = last === undefined ? undefined : findId(last);
  const lastId = last === undefined || id === undefined ? undefined : idDocument(last, id.type, id.start, id.end);
  return { documents, position, lastId, readAtMs: performance.now() };
}
