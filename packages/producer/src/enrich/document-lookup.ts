// Gives updates their full documents (promise C): one read per namespace and batch, each document once, at or after the
// position of the update. A document that is gone by now leaves its change without one: its tombstone follows.
import { findId, Position, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { ChangeBatch, TrackedNamespace } from '../normalize/change-batch.js';
import { idValue } from '../source/mongo/id-value.js';
import { readDocuments } from '../source/mongo/read-documents.js';

/** Ids asked for in one query at most; three queries at once are the fastest (measured: 108k documents/s, against 157k). */
const IDS_PER_QUERY = 1000;
const QUERIES_AT_ONCE = 3;
/** Bytes of documents that one slice may bring; the size of the documents before predicts that of the next. */
const SLICE_BYTES = 8 * 1024 * 1024;
/** Before anything is known of a namespace: 32 documents, which even at their largest fit into memory. */
const FIRST_GUESS_BYTES = 256 * 1024;

export class DocumentLookup {
  readonly #client: MongoClient;
  readonly #averageBytes = new Map<TrackedNamespace, number>();

  constructor(client: MongoClient) {
    this.#client = client;
  }

  /** How many documents of a namespace are likely to fit into one slice. */
  documentsPerSlice(namespace: TrackedNamespace): number {
    // Each brings the content of a file.
    if (namespace.chunks !== undefined) return 1;
    return Math.max(1, Math.floor(SLICE_BYTES / (this.#averageBytes.get(namespace) ?? FIRST_GUESS_BYTES)));
  }

  /** Fills `document` in the rows `[from, to)` that are updates; rows whose document is gone stay without. */
  async fill(batch: ChangeBatch, from: number, to: number): Promise<void> {
    const wanted = new Map<TrackedNamespace, Map<string, number>>();
    for (let row = from; row < to; row++) {
      if (batch.op[row] !== 'update' || batch.document[row] !== undefined) continue;
      const namespace = batch.namespace[row] as TrackedNamespace;
      let keys = wanted.get(namespace);
      if (keys === undefined) {
        keys = new Map();
        wanted.set(namespace, keys);
      }
      keys.set(batch.key[row] as string, row);
    }
    if (wanted.size === 0) return;
    const last = to - 1;
    const notBefore = new Position(batch.t[last] as number, batch.i[last] as number);
    for (const [namespace, rows] of wanted) {
      const documents = await this.#read(namespace, batch, [...rows.values()], notBefore);
      for (let row = from; row < to; row++) {
        // A row whose document came with its event keeps it: no document was asked for in its name.
        if (batch.op[row] !== 'update' || batch.namespace[row] !== namespace || batch.document[row] !== undefined) continue;
        batch.document[row] = documents.get(batch.key[row] as string);
      }
    }
  }

  async #read(namespace: TrackedNamespace, batch: ChangeBatch, rows: readonly number[], notBefore: Position): Promise<Map<string, Buffer>> {
    const documents = new Map<string, Buffer>();
    const queries: unknown[][] = [];
    for (let at = 0; at < rows.length; at += IDS_PER_QUERY)
      queries.push(rows.slice(at, at + IDS_PER_QUERY).map((row) => rowId(batch, row)));
    let bytes = 0;
    const worker = async (): Promise<void> => {
      for (let ids = queries.pop(); ids !== undefined; ids = queries.pop()) {
        for (const document of await this.#find(namespace, ids, notBefore)) {
          const id = findId(document);
          if (id === undefined) continue;
          documents.set(recordKey(document, id.type, id.start), document);
          bytes += document.length;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(QUERIES_AT_ONCE, queries.length) }, worker));
    if (documents.size > 0) this.#averageBytes.set(namespace, bytes / documents.size);
    return documents;
  }

  async #find(namespace: TrackedNamespace, ids: unknown[], notBefore: Position): Promise<Buffer[]> {
    const found: Buffer[] = [];
    const query = { filter: { _id: { $in: ids } }, notBefore, batchSize: IDS_PER_QUERY };
    await readDocuments(this.#client, namespace, query, (document) => found.push(document));
    return found;
  }
}

function rowId(batch: ChangeBatch, row: number): unknown {
  const id = idValue(batch.idSource[row] as Buffer, batch.idType[row] as number, batch.idStart[row] as number, batch.idEnd[row] as number);
  // To go on without the document would leave its last state out of the topic for good (promise C).
  if (id === undefined) throw new TypeError(`The document ${batch.key[row]} of ${batch.namespace[row]?.name} cannot be queried by its _id`);
  return id;
}
