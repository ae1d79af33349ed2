// What the producer's stages ask of a MongoDB, answered from the model: by any member, which may lag, but not behind what it is
// asked to have seen.
import { findId, Position, type RawValue } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { SourceDocuments } from '#producer/backfill/refresh/source-documents.js';
import { type Chunk, ChunkReader } from '#producer/backfill/snapshot/chunk-reader.js';
import type { IdsByKey, SourceKeys } from '#producer/backfill/source-keys.js';
import { type ChangeBatch, isLookedUp, type TrackedNamespace } from '#producer/changes/change-batch.js';
import type { SnapshotRange } from '#producer/checkpoint/checkpoint-record.js';
import { DocumentLookup } from '#producer/enrich/document-lookup.js';
import { idDocument, idOf } from '#producer/source/mongo/id-value.js';
import type { TransactionSource } from '#producer/source/source.js';
import { Chains } from '#test/unit/producer/support/chains.js';
import type { ModelDatabase } from './model-database.js';

export interface ModelServer {
  readonly database: ModelDatabase;
  /** Resolves when it is the caller's turn. */
  readonly turn: (what: string) => Promise<void>;
  /** Entries by which a server's answer may lag behind the newest one. */
  readonly lag: () => number;
  /** Chunks are read at a cluster time, as MongoDB 5.0 can; otherwise their position is the newest one behind the read. */
  readonly hasSnapshotReads: boolean;
}

const nobody = undefined as unknown as MongoClient;

/** What the snapshotter asks of a server itself: how much there is, and ids to divide it by. */
export function modelClient({ database, turn }: ModelServer): MongoClient {
  const collectionOf = (name: string) => {
    const documents = (): Buffer[] =>
      [...database.stateAt(database.end, { name } as TrackedNamespace)].sort(([a], [b]) => a - b).map(([, document]) => document);
    const toArray = async (): Promise<Buffer[]> => {
      await turn('sample');
      return documents();
    };
    return { estimatedDocumentCount: async () => 8 * documents().length, aggregate: () => ({ toArray }) };
  };
  return {
    db: (name: string) => ({ collection: (collection: string) => collectionOf(`${name}.${collection}`) }),
  } as unknown as MongoClient;
}

export class ModelTransactions implements TransactionSource {
  readonly #server: ModelServer;

  constructor(server: ModelServer) {
    this.#server = server;
  }

  async *entriesOf(end: Buffer): AsyncGenerator<Buffer> {
    const { database, turn } = this.#server;
    for (const entry of new Chains().add(database.entries).of(end)) {
      await turn('read an entry of a transaction');
      yield entry;
    }
  }
}

export class ModelLookup extends DocumentLookup {
  readonly #server: ModelServer;
  readonly #limit: number;

  constructor(server: ModelServer, limit: number) {
    super(nobody);
    this.#server = server;
    this.#limit = limit;
  }

  override documentsPerSlice(): number {
    return this.#limit;
  }

  override async fill(batch: ChangeBatch, from: number, to: number): Promise<number> {
    const { database, turn, lag } = this.#server;
    await turn('look documents up');
    const notBefore = new Position(batch.t[to - 1] as number, batch.i[to - 1] as number);
    const position = database.readableAt(notBefore, lag());
    // Documents may be larger than they were expected to be.
    const end = Math.max(from + 1, to - lag());
    for (let row = from; row < end; row++) {
      if (!isLookedUp(batch, row)) continue;
      const document = database.stateAt(position, batch.namespace[row]).get(Number(batch.key[row]));
      batch.document[row] = document;
      if (batch.op[row] === 'leave') batch.op[row] = document === undefined ? 'delete' : 'replace';
    }
    return end;
  }
}

export class ModelReader extends ChunkReader {
  readonly #server: ModelServer;
  readonly #limit: number;

  constructor(server: ModelServer, limit: number) {
    super(nobody, { documents: limit, readPreference: 'primary', queries: new Map() });
    this.#server = server;
    this.#limit = limit;
  }

  override async read(namespace: TrackedNamespace, range: SnapshotRange, notBefore: Position): Promise<Chunk> {
    const { database, turn, lag, hasSnapshotReads } = this.#server;
    await turn('read a chunk');
    const readAt = database.readableAt(notBefore, lag());
    const [from, behind, to] = [range.from, range.lastId, range.to].map((id) =>
      id === null ? undefined : Number(idOf(Buffer.from(id, 'base64'))),
    );
    const isInside = (key: number): boolean =>
      key >= (from ?? Number.NEGATIVE_INFINITY) && key > (behind ?? Number.NEGATIVE_INFINITY) && key < (to ?? Number.POSITIVE_INFINITY);
    const state = database.stateAt(readAt, namespace);
    const keys = [...state.keys()].filter(isInside).sort((a, b) => a - b);
    const documents = keys.slice(0, this.#limit).map((key) => state.get(key) as Buffer);
    await turn('answer with a chunk');
    return { documents, position: hasSnapshotReads ? readAt : database.end, lastId: lastIdOf(documents) };
  }
}

function lastIdOf(documents: readonly Buffer[]): Buffer | undefined {
  const last = documents.at(-1);
  if (last === undefined) return undefined;
  const { type, start, end } = findId(last) as RawValue;
  return idDocument(last, type, start, end);
}

/** What a sweep and a refresh ask for: the newest position is another member's answer. */
export function modelDocuments({ database, turn, lag }: ModelServer): Pick<SourceDocuments, 'find'> {
  return {
    find: async (namespace, ids, notBefore) => {
      await turn('read documents');
      const state = database.stateAt(database.readableAt(notBefore, lag()), namespace);
      const documents = new Map(
        [...ids.keys()].flatMap((key): [string, Buffer][] => {
          const document = state.get(Number(key));
          return document === undefined ? [] : [[key, document]];
        }),
      );
      await turn('answer with documents');
      return { documents, isWhole: true, position: database.end };
    },
  };
}

export function modelKeys(server: ModelServer): Pick<SourceKeys, 'find'> {
  const all = modelDocuments(server);
  return {
    find: async (namespace: TrackedNamespace, ids: IdsByKey, notBefore: Position, signal: AbortSignal) => {
      const { documents, position } = await all.find(namespace, ids, notBefore, signal);
      return { present: new Set(documents.keys()), position };
    },
  };
}
