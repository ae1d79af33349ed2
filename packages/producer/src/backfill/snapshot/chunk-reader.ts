// Reads a collection in `_id` order, one chunk a query, as raw BSON. From MongoDB 5.0 a chunk is read at one cluster time,
// which is its rows' position; older servers give their newest majority position behind the read.
import { RAW_BATCHES, RequestTimes } from '@tailwater/runtime';
import { findId, Position } from '@tailwater/schema';
import { type Document, MaxKey, MinKey, type MongoClient, type ReadPreferenceLike, Timestamp } from 'mongodb';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { SnapshotRange } from '../../checkpoint/checkpoint-record.js';
import { divideMemory } from '../../memory/memory-shares.js';
import { bytesOf } from '../../source/large-reply.js';
import { idDocument, idOf, idValue } from '../../source/mongo/id-value.js';
import { isRefusedByView, namespaceKind } from '../../source/mongo/namespace-kinds.js';
import { newestMajorityPosition, toPosition } from '../../source/oplog/oplog-window.js';
import type { ReadRows } from '../read-rows.js';

/** MongoDB 5.0's wire version, the first with snapshot reads outside of transactions. */
const SNAPSHOT_READS_WIRE_VERSION = 13;
/**
 * InvalidOptions, SnapshotUnavailable: capped collections, for one, cannot be read at a cluster time. SnapshotTooOld: a read
 * that a query makes longer than the server keeps its snapshots.
 */
const SNAPSHOT_REFUSED = new Set([72, 239, 246]);

/** A chunk of files holds so many at most: it is published in one turn of the tail's. */
const FILES_PER_CHUNK = 100;
/** What the server bounds a reply to, and so a chunk of unknown size, in bytes. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/** The position of a chunk that nothing had to be read for. */
const NO_POSITION = new Position(0, 0);

export interface Chunk extends ReadRows {
  /** The BSON document `{_id}` of the last row, from which the next chunk is read; undefined when there is no next one. */
  readonly lastId: Buffer | undefined;
}

export interface ChunkReaderOptions {
  /** How many documents a chunk holds at most; the server bounds it to 16 MB as well. */
  readonly documents: number;
  /** What a chunk is to hold, in bytes, as far as the chunk before lets foresee, and of the contents of files unless one has more. */
  readonly chunkBytes?: number;
  readonly readPreference: ReadPreferenceLike;
  /** By namespace: only documents that match are read. */
  readonly queries: ReadonlyMap<string, Document>;
  /** Of a file's document: how many bytes its content will bring. Absent if no GridFS bucket is marked. */
  readonly contentBytes?: ((document: Buffer) => number) | undefined;
  readonly times?: RequestTimes;
}

export class ChunkReader {
  readonly #client: MongoClient;
  readonly #options: ChunkReaderOptions;
  readonly #chunkBytes: number;
  readonly #times: RequestTimes;
  /** What a document of a namespace has on average, by the chunk before. */
  readonly #averageBytes = new Map<TrackedNamespace, number>();

  constructor(client: MongoClient, options: ChunkReaderOptions) {
    this.#client = client;
    this.#options = options;
    this.#chunkBytes = options.chunkBytes ?? divideMemory().chunk;
    this.#times = options.times ?? new RequestTimes();
  }

  /** How many bytes the next chunk of a namespace will probably have. */
  expectedBytes(namespace: TrackedNamespace): number {
    const average = this.#averageBytes.get(namespace);
    return average === undefined ? MAX_REPLY_BYTES : Math.min(MAX_REPLY_BYTES, Math.ceil(average * this.#limit(namespace)));
  }

  /**
   * The next chunk of the range; the last one, which has no `lastId`, is empty but for rare ids.
   *
   * @param notBefore - a member that has not come that far waits, so that a new primary does not show rows of the past
   */
  async read(namespace: TrackedNamespace, range: SnapshotRange, notBefore: Position, signal: AbortSignal): Promise<Chunk> {
    try {
      return await this.#read(namespace, range, notBefore, signal);
    } catch (error) {
      // The collection is gone, and its name is a view's now: nothing of it is left to copy. A filter may be refused alike.
      if (!isRefusedByView(error) || (await namespaceKind(this.#client, namespace)) === 'collection') throw error;
      return { documents: [], position: await newestMajorityPosition(this.#client), lastId: undefined };
    }
  }

  async #read(namespace: TrackedNamespace, range: SnapshotRange, notBefore: Position, signal: AbortSignal): Promise<Chunk> {
    const hello = await this.#client.db('admin').command({ hello: 1 });
    if (Number(hello['maxWireVersion']) >= SNAPSHOT_READS_WIRE_VERSION) {
      try {
        const reply = await this.#find(namespace, range, { level: 'snapshot', ...since(notBefore) }, signal);
        const documents = this.#thatFit(namespace, reply.documents);
        if (reply.clusterTime !== undefined) return await this.#toChunk(namespace, range, documents, reply.clusterTime, signal);
      } catch (error) {
        if (!SNAPSHOT_REFUSED.has(Number((error as { code?: unknown }).code))) throw error;
      }
    }
    const { documents } = await this.#find(namespace, range, { level: 'majority', ...since(notBefore) }, signal);
    return this.#toChunk(namespace, range, this.#thatFit(namespace, documents), await newestMajorityPosition(this.#client), signal);
  }

  #limit(namespace: TrackedNamespace): number {
    const limit = namespace.chunks === undefined ? this.#options.documents : Math.min(this.#options.documents, FILES_PER_CHUNK);
    return Math.max(1, Math.min(limit, Math.floor(this.#chunkBytes / (this.#averageBytes.get(namespace) ?? 1))));
  }

  /** Of files only so many that their contents are no burden; the others are left to the next chunk. */
  #thatFit(namespace: TrackedNamespace, documents: Buffer[]): Buffer[] {
    const { contentBytes } = this.#options;
    if (namespace.chunks === undefined || contentBytes === undefined) return documents;
    let bytes = 0;
    for (const [index, document] of documents.entries()) {
      bytes += contentBytes(document);
      // A chunk ends where the next one can begin.
      if (bytes >= this.#chunkBytes && boundary(document) !== undefined) return documents.slice(0, index + 1);
    }
    return documents;
  }

  async #toChunk(
    namespace: TrackedNamespace,
    range: SnapshotRange,
    documents: Buffer[],
    position: Position,
    signal: AbortSignal,
  ): Promise<Chunk> {
    if (documents.length > 0) this.#averageBytes.set(namespace, bytesOf(documents) / documents.length);
    for (let length = documents.length; length > 0; length--) {
      const lastId = boundary(documents[length - 1] as Buffer);
      // Rows behind the last one that a query can begin at are left to the next chunk.
      if (lastId !== undefined) return { documents: documents.slice(0, length), position, lastId };
    }
    // The range may end with ids that no query can begin at.
    const rest = documents.length === 0 ? 0 : (await this.#find(namespace, range, MAJORITY, signal, documents.length)).documents.length;
    if (rest > 0) throw new TypeError(`No _id of ${documents.length} documents of ${namespace.name} can be queried by`);
    return { documents, position, lastId: undefined };
  }

  async #find(
    namespace: TrackedNamespace,
    range: SnapshotRange,
    readConcern: ReadConcern,
    signal: AbortSignal,
    skip = 0,
  ): Promise<FindReply> {
    const [from, last, to] = [range.from, range.lastId, range.to].map(boundValue);
    if (last instanceof MaxKey) return { documents: [], clusterTime: NO_POSITION };
    // `min` and `max` bound the index itself: unlike $gt they do not stop at values of another type, so ids of mixed types are
    // all read. `min` includes its bound, which the filter leaves out behind a chunk, and not the greatest _id that there can be.
    // There always is one: it also keeps views, which know no bounds, from answering as if they were collections.
    const min = last !== undefined ? last : from !== undefined ? from : new MinKey(); // An _id may be null.
    const bounds = { skip, min: { _id: min }, ...(to === undefined ? {} : { max: { _id: to } }) };
    const reply = await this.#query(namespace, last === undefined ? [] : [{ _id: { $ne: last } }], bounds, readConcern, signal);
    if (reply.documents.length > 0 || to !== undefined) return reply;
    return this.#query(namespace, [{ _id: new MaxKey() }], {}, readConcern, signal);
  }

  async #query(
    namespace: TrackedNamespace,
    filters: Document[],
    bounds: Document,
    readConcern: ReadConcern,
    signal: AbortSignal,
  ): Promise<FindReply> {
    const { readPreference, queries } = this.#options;
    const documents = this.#limit(namespace);
    const query = queries.get(namespace.name);
    const all = query === undefined ? filters : [...filters, query];
    const command = {
      find: namespace.collection,
      ...(all.length === 0 ? {} : { filter: { $and: all } }),
      ...bounds,
      hint: { _id: 1 },
      sort: { _id: 1 },
      limit: documents,
      batchSize: documents,
      singleBatch: true,
      readConcern,
    };
    const database = this.#client.db(namespace.database);
    const reply = await this.#times.of('chunk', () => database.command(command, { ...RAW_BATCHES, readPreference, signal }));
    const { firstBatch, atClusterTime } = reply['cursor'] as { firstBatch: Uint8Array[]; atClusterTime?: Timestamp };
    const found = firstBatch.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return { documents: found, clusterTime: atClusterTime === undefined ? undefined : toPosition(atClusterTime) };
  }
}

const boundValue = (bound: string | null): unknown => (bound === null ? undefined : idOf(Buffer.from(bound, 'base64')));

interface ReadConcern {
  readonly level: 'snapshot' | 'majority';
  readonly afterClusterTime?: Timestamp;
}

const MAJORITY: ReadConcern = { level: 'majority' };

const since = ({ t, i }: Position): { afterClusterTime?: Timestamp } => (t === 0 ? {} : { afterClusterTime: new Timestamp({ t, i }) });

interface FindReply {
  readonly documents: Buffer[];
  readonly clusterTime: Position | undefined;
}

/** The document's `_id` as a chunk's end; undefined where it is one of the few that the driver cannot write. */
function boundary(document: Buffer): Buffer | undefined {
  const id = findId(document);
  if (id === undefined || idValue(document, id.type, id.start, id.end) === undefined) return undefined;
  return idDocument(document, id.type, id.start, id.end);
}
