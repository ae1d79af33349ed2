// Reads a collection in `_id` order, one chunk a query, as raw BSON. From MongoDB 5.0 a chunk is read at one cluster time,
// which is its rows' position; older servers give their newest majority position behind the read.
import { performance } from 'node:perf_hooks';
import { BsonCursor, BsonType, findId, Position } from '@tailwater/schema';
import { type Document, MaxKey, type MongoClient, Timestamp } from 'mongodb';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import { idDocument, idOf, idValue } from '../source/mongo/id-value.js';
import { newestMajorityPosition } from '../source/oplog/oplog-window.js';

/** MongoDB 5.0's wire version, the first with snapshot reads outside of transactions. */
const SNAPSHOT_READS_WIRE_VERSION = 13;
/** InvalidOptions, SnapshotUnavailable: capped collections, for one, cannot be read at a cluster time. */
const SNAPSHOT_REFUSED = new Set([72, 246]);

/** The position of a chunk that nothing had to be read for. */
const NO_POSITION = new Position(0, 0);

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

  /**
   * The chunk behind `after`, the BSON document `{_id}` that the last one ended with. An empty one is the collection's end.
   *
   * @param notBefore - a member that has not come that far waits, so that a new primary does not show rows of the past
   */
  async read(namespace: TrackedNamespace, after: Buffer | undefined, notBefore: Position, signal: AbortSignal): Promise<Chunk> {
    const hello = await this.#client.db('admin').command({ hello: 1 });
    if (Number(hello['maxWireVersion']) >= SNAPSHOT_READS_WIRE_VERSION) {
      try {
        const reply = await this.#find(namespace, after, { level: 'snapshot', ...since(notBefore) }, signal);
        if (reply.clusterTime !== undefined) return toChunk(namespace, reply.documents, reply.clusterTime);
      } catch (error) {
        if (!SNAPSHOT_REFUSED.has(Number((error as { code?: unknown }).code))) throw error;
      }
    }
    const { documents } = await this.#find(namespace, after, { level: 'majority', ...since(notBefore) }, signal);
    return toChunk(namespace, documents, await newestMajorityPosition(this.#client));
  }

  async #find(namespace: TrackedNamespace, after: Buffer | undefined, readConcern: ReadConcern, signal: AbortSignal): Promise<FindReply> {
    if (after === undefined) return this.#query(namespace, {}, readConcern, signal);
    const last = idOf(after);
    if (last instanceof MaxKey) return { documents: [], clusterTime: NO_POSITION };
    // `min` bounds the index itself: unlike $gt it does not stop at values of another type, so ids of mixed types are all
    // read. It includes its bound, which the filter leaves out, and not the greatest _id that there can be.
    const reply = await this.#query(namespace, { filter: { _id: { $ne: last } }, min: { _id: last } }, readConcern, signal);
    return reply.documents.length > 0 ? reply : this.#query(namespace, { filter: { _id: new MaxKey() } }, readConcern, signal);
  }

  async #query(namespace: TrackedNamespace, bound: Document, readConcern: ReadConcern, signal: AbortSignal): Promise<FindReply> {
    const reply = await this.#client.db(namespace.database).command(
      {
        find: namespace.collection,
        ...bound,
        hint: { _id: 1 },
        sort: { _id: 1 },
        limit: this.#documents,
        batchSize: this.#documents,
        singleBatch: true,
        readConcern,
      },
      { raw: true, signal },
    );
    return parseFindReply(reply['cursor'] as Uint8Array);
  }
}

interface ReadConcern {
  readonly level: 'snapshot' | 'majority';
  readonly afterClusterTime?: Timestamp;
}

const since = ({ t, i }: Position): { afterClusterTime?: Timestamp } => (t === 0 ? {} : { afterClusterTime: new Timestamp({ t, i }) });

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

function toChunk(namespace: TrackedNamespace, documents: Buffer[], position: Position): Chunk {
  const readAtMs = performance.now();
  for (let length = documents.length; length > 0; length--) {
    const lastId = boundary(documents[length - 1] as Buffer);
    // Rows behind the last one that a query can begin at are left to the next chunk.
    if (lastId !== undefined) return { documents: documents.slice(0, length), position, lastId, readAtMs };
  }
  if (documents.length > 0) throw new TypeError(`No _id of ${documents.length} documents of ${namespace.name} can be queried by`);
  return { documents, position, lastId: undefined, readAtMs };
}

/** The document's `_id` as a chunk's end; undefined where it is one of the few that the driver cannot write. */
function boundary(document: Buffer): Buffer | undefined {
  const id = findId(document);
  if (id === undefined || idValue(document, id.type, id.start, id.end) === undefined) return undefined;
  return idDocument(document, id.type, id.start, id.end);
}
