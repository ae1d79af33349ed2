// Gives updates their full documents (promise C): one read per namespace and batch, each document once, at or after the
// position of the update. A document that is gone by now leaves its change without one: its tombstone follows. A delete of one shard
// is one of the key only if no other shard has it.
//
// How many are asked for at once follows from what came before; how many bytes are taken does not: a read ends when the slice is
// full, and what was not answered by then belongs to the next slice.
import { RequestTimes } from '@tailwater/runtime';
import { findId, Position, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { type ChangeBatch, isLookedUp, type TrackedNamespace } from '../changes/change-batch.js';
import { divideMemory } from '../memory/memory-shares.js';
import { idValue } from '../source/mongo/id-value.js';
import { readDocuments } from '../source/mongo/read-documents.js';

/** Ids asked for in one query at most; three queries at once are the fastest (measured: 108k documents/s, against 157k). */
const IDS_PER_QUERY = 1000;
const QUERIES_AT_ONCE = 3;
/** Before anything is known of a namespace: 32 documents, which even at their largest fit into memory. */
const FIRST_GUESS_BYTES = 256 * 1024;

/** What is asked for and not answered, by key, each with a row that wants it. */
type Unanswered = Map<string, number>;

/** What the documents of one slice may still bring. */
interface Room {
  bytes: number;
}

export class DocumentLookup {
  readonly #client: MongoClient;
  readonly #sliceBytes: number;
  readonly #times: RequestTimes;
  /** What a document of a namespace is expected to have: rises with what came at once, and falls by halves. */
  readonly #expectedBytes = new Map<TrackedNamespace, number>();

  /** @param sliceBytes - of documents that one slice may bring; the first one, and one reply, may be larger */
  constructor(client: MongoClient, sliceBytes: number = divideMemory().lookup, times = new RequestTimes()) {
    this.#client = client;
    this.#sliceBytes = sliceBytes;
    this.#times = times;
  }

  /** How many documents of a namespace are likely to fit into one slice. */
  documentsPerSlice(namespace: TrackedNamespace): number {
    // Each brings the content of a file.
    if (namespace.chunks !== undefined) return 1;
    return Math.max(1, Math.floor(this.#sliceBytes / (this.#expectedBytes.get(namespace) ?? FIRST_GUESS_BYTES)));
  }

  /**
   * Fills `document` in the rows `[from, to)` that are updates; rows whose document is gone stay without. A row that has left one shard
   * becomes a delete, or a replacement by what another shard has.
   *
   * @returns the row behind the last one that this is true of: `to`, unless the documents were larger than they were expected to be.
   *   Rows from there on may have theirs already
   */
  async fill(batch: ChangeBatch, from: number, to: number): Promise<number> {
    const wanted = new Map<TrackedNamespace, Unanswered>();
    for (let row = from; row < to; row++) {
      if (!isLookedUp(batch, row)) continue;
      const namespace = batch.namespace[row] as TrackedNamespace;
      const keys = wanted.get(namespace) ?? new Map<string, number>();
      wanted.set(namespace, keys.set(batch.key[row] as string, row));
    }
    if (wanted.size === 0) return to;
    const notBefore = new Position(batch.t[to - 1] as number, batch.i[to - 1] as number);
    const room = { bytes: this.#sliceBytes };
    let end = to;
    for (const [namespace, unanswered] of wanted) {
      const documents = await this.#read(namespace, batch, unanswered, notBefore, room);
      let first = firstRow(batch, from, end, namespace, unanswered);
      if (first === from) {
        // Where not even the first row was answered, its document goes alone.
        const key = batch.key[from] as string;
        const alone = new Map([[key, from]]);
        for (const [each, document] of await this.#read(namespace, batch, alone, notBefore, { bytes: Number.POSITIVE_INFINITY }))
          documents.set(each, document);
        unanswered.delete(key);
        first = firstRow(batch, from, end, namespace, unanswered);
      }
      for (let row = from; row < to; row++) {
        // A row whose document came with its event keeps it: no document was asked for in its name.
        if (isLookedUp(batch, row) && batch.namespace[row] === namespace) complete(batch, row, documents, unanswered);
      }
      end = first;
    }
    return end;
  }

  /** Reads until everything is answered or the room is used up. Whatever was answered, also by nothing, leaves `unanswered`. */
  async #read(
    namespace: TrackedNamespace,
    batch: ChangeBatch,
    unanswered: Unanswered,
    notBefore: Position,
    room: Room,
  ): Promise<Map<string, Buffer>> {
    const documents = new Map<string, Buffer>();
    const asked = [...unanswered];
    const queries: [key: string, row: number][][] = [];
    for (let at = 0; at < asked.length; at += IDS_PER_QUERY) queries.push(asked.slice(at, at + IDS_PER_QUERY));
    queries.reverse(); // The first rows first: they are taken from the end.
    let bytes = 0;
    const worker = async (): Promise<void> => {
      for (let query = queries.pop(); query !== undefined && room.bytes > 0; query = queries.pop()) {
        const ids = query.map(([, row]) => rowId(batch, row));
        const wanted = { filter: { _id: { $in: ids } }, notBefore, batchSize: IDS_PER_QUERY };
        const take = (document: Buffer): boolean => {
          const id = findId(document);
          if (id === undefined) return true;
          // What goes past the room is left to the next slice, unless it is past it by itself.
          if (documents.size > 0 && document.length > room.bytes) return false;
          const key = recordKey(document, id.type, id.start);
          documents.set(key, document);
          unanswered.delete(key);
          bytes += document.length;
          room.bytes -= document.length;
          return room.bytes > 0;
        };
        const isWhole = await this.#times.of('lookup', () => readDocuments(this.#client, namespace, wanted, take));
        if (isWhole) for (const [key] of query) unanswered.delete(key);
      }
    };
    await Promise.all(Array.from({ length: Math.min(QUERIES_AT_ONCE, queries.length) }, worker));
    if (documents.size > 0) this.#expect(namespace, bytes / documents.size);
    return documents;
  }

  #expect(namespace: TrackedNamespace, averageBytes: number): void {
    const before = this.#expectedBytes.get(namespace) ?? averageBytes;
    this.#expectedBytes.set(namespace, Math.max(averageBytes, (before + averageBytes) / 2));
  }
}

/**
 * What is left of an `_id` that one shard has given up: shards commit a change of the shard key each in its own time, so the insert on
 * one of them may come before the delete on the other, and a tombstone would be the last that is heard of it (promise C).
 */
function complete(batch: ChangeBatch, row: number, documents: ReadonlyMap<string, Buffer>, unanswered: Unanswered): void {
  const key = batch.key[row] as string;
  const document = documents.get(key);
  batch.document[row] = document;
  if (batch.op[row] !== 'leave') return;
  if (document !== undefined) batch.op[row] = 'replace';
  else if (!unanswered.has(key)) batch.op[row] = 'delete';
}

/** The first of the rows whose document was not answered for; `to` where each was. */
function firstRow(batch: ChangeBatch, from: number, to: number, namespace: TrackedNamespace, unanswered: Unanswered): number {
  if (unanswered.size === 0) return to;
  for (let row = from; row < to; row++) {
    const isWanted = isLookedUp(batch, row) && batch.namespace[row] === namespace;
    if (isWanted && unanswered.has(batch.key[row] as string)) return row;
  }
  return to;
}

function rowId(batch: ChangeBatch, row: number): unknown {
  const id = idValue(batch.idSource[row] as Buffer, batch.idType[row] as number, batch.idStart[row] as number, batch.idEnd[row] as number);
  // To go on without the document would leave its last state out of the topic for good (promise C).
  if (id === undefined) throw new TypeError(`The document ${batch.key[row]} of ${batch.namespace[row]?.name} cannot be queried by its _id`);
  return id;
}
