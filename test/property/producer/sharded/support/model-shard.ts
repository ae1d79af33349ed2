// One shard: a replica set with the documents that it holds, owned or not, and the oplog that says how they came to be.
import { Position } from '@tailwater/schema';
import { type BSON, Int32, Long, Timestamp, UUID } from 'bson';
import { entry, raw, T } from '#test/unit/producer/support/entries.js';

export interface ModelDocument {
  readonly id: number;
  /** The value of the shard key. */
  readonly region: number;
  /** Counts the changes, for statements that choose by it. */
  readonly n: number;
}

export const bytesOf = ({ id, region, n }: ModelDocument): Buffer =>
  raw({ _id: new Int32(id), region: new Int32(region), n: new Int32(n) });

/** How an operation stands in the oplog: alone, or in a transaction. */
export interface Operation {
  readonly op: 'i' | 'u' | 'd';
  readonly ns: string;
  readonly o: BSON.Document;
  readonly o2?: BSON.Document;
  readonly id: number;
  /** What is there behind it. */
  readonly document: ModelDocument | undefined;
}

export interface LoggedEntry {
  readonly i: number;
  readonly raw: Buffer;
}

interface Change {
  /** Reads at this time, or later, see it. */
  readonly i: number;
  readonly ns: string;
  readonly id: number;
  readonly document: ModelDocument | undefined;
}

/** A transaction that is prepared here, and neither committed nor aborted. */
export interface Prepared {
  readonly i: number;
  readonly number: number;
  readonly operations: readonly Operation[];
}

const SESSION = { id: new UUID('0189c9f6-9b2c-7c9e-8d2f-3a5b7c9d1e0f') };
const NO_OP_TIME = { ts: new Timestamp(0n), t: Long.fromNumber(-1) };
const opTime = (i: number) => ({ ts: new Timestamp({ t: T, i }), t: Long.fromNumber(1) });

/** What the first entry of every replica set says. */
const FIRST = { op: 'n', ns: '', o: { msg: 'initiating set' } };

export class ModelShard {
  readonly name: string;
  readonly host: string;
  readonly entries: LoggedEntry[] = [];
  readonly #changes: Change[] = [];
  readonly #collections = new Map<string, Map<number, ModelDocument>>();
  readonly prepared = new Set<Prepared>();
  /** The newest cluster time that it knows of: that of its last entry, or one that somebody told it. */
  clock = 0;
  /** Reads that a mongos routed see the documents as they were then, or later: its knowledge of who owns what is of that time. */
  routedAt = 0;
  /** Nobody reaches it any more. */
  isGone = false;

  constructor(name: string) {
    this.name = name;
    this.host = `${name}/${name}.test:27018`;
    this.log(FIRST);
  }

  get end(): Position {
    return new Position(T, this.entries.at(-1)?.i ?? 0);
  }

  /** Whoever tells it of a cluster time makes it write behind that: a causal order of entries (manual: read isolation, causal consistency). */
  hear(clock: number): void {
    this.clock = Math.max(this.clock, clock);
  }

  log(options: { op: string; ns: string; o: BSON.Document; o2?: BSON.Document }, more: BSON.Document = {}): number {
    const i = ++this.clock;
    this.entries.push({ i, raw: entry({ ...options, i, more }) });
    return i;
  }

  noop(o: BSON.Document = { msg: 'periodic noop' }, o2?: BSON.Document): number {
    return this.log({ op: 'n', ns: '', o, ...(o2 === undefined ? {} : { o2 }) });
  }

  command(database: string, o: BSON.Document, more: BSON.Document = {}): number {
    return this.log({ op: 'c', ns: `${database}.$cmd`, o }, more);
  }

  write({ op, ns, o, o2, id, document }: Operation, isMoved = false): void {
    const i = this.log({ op, ns, o, ...(o2 === undefined ? {} : { o2 }) }, isMoved ? { fromMigrate: true } : {});
    this.#set({ i, ns, id, document });
  }

  /** Several operations in one entry, such as the inserts of a migration (applyOps with multiOpType, since 7.1). */
  writeTogether(operations: readonly Operation[], isMoved: boolean): void {
    const applyOps = operations.map(({ op, ns, o, o2 }) => ({
      op,
      ns,
      o,
      ...(o2 === undefined ? {} : { o2 }),
      ...(isMoved ? { fromMigrate: true } : {}),
    }));
    const i = this.log(
      { op: 'c', ns: 'admin.$cmd', o: { applyOps } },
      { multiOpType: new Int32(1), ...(isMoved ? { fromMigrate: true } : {}) },
    );
    for (const { ns, id, document } of operations) this.#set({ i, ns, id, document });
  }

  /** Prepares a transaction of several shards; nothing of it is to be seen before its commit (src/mongo/db/repl/README.md, Transactions). */
  prepare(number: number, operations: readonly Operation[]): Prepared {
    const applyOps = operations.map(({ op, ns, o, o2 }) => ({ op, ns, o, ...(o2 === undefined ? {} : { o2 }) }));
    const more = { lsid: SESSION, txnNumber: Long.fromNumber(number), prevOpTime: NO_OP_TIME };
    const i = this.log({ op: 'c', ns: 'admin.$cmd', o: { applyOps, prepare: true } }, more);
    const prepared = { i, number, operations };
    this.prepared.add(prepared);
    return prepared;
  }

  /** Each shard writes its commit in its own time; all name the same commitTimestamp. */
  decide(prepared: Prepared, commitAt: number | undefined): void {
    const o =
      commitAt === undefined ? { abortTransaction: 1 } : { commitTransaction: 1, commitTimestamp: new Timestamp({ t: T, i: commitAt }) };
    const more = { lsid: SESSION, txnNumber: Long.fromNumber(prepared.number), prevOpTime: opTime(prepared.i) };
    this.log({ op: 'c', ns: 'admin.$cmd', o }, more);
    this.prepared.delete(prepared);
    // What was committed is there from the commit's timestamp on, whenever its entry is written.
    if (commitAt !== undefined) for (const { ns, id, document } of prepared.operations) this.#set({ i: commitAt, ns, id, document });
  }

  /** What a command does to documents, at its entry's place. */
  replaceAll(ns: string, documents: readonly ModelDocument[], i: number): void {
    for (const id of this.physical(ns).keys()) this.#set({ i, ns, id, document: undefined });
    for (const document of documents) this.#set({ i, ns, id: document.id, document });
  }

  isLocked(ns: string, id: number): boolean {
    return [...this.prepared].some(({ operations }) => operations.some((operation) => operation.ns === ns && operation.id === id));
  }

  /** All that it holds now, orphans too. */
  physical(ns: string): ReadonlyMap<number, ModelDocument> {
    return this.#collections.get(ns) ?? new Map();
  }

  /** All that it held at the time. */
  physicalAt(ns: string, i: number): ReadonlyMap<number, ModelDocument> {
    const documents = new Map<number, ModelDocument>();
    for (const change of this.#changes) {
      if (change.i > i || change.ns !== ns) continue;
      if (change.document === undefined) documents.delete(change.id);
      else documents.set(change.id, change.document);
    }
    return documents;
  }

  #set(change: Change): void {
    this.#changes.push(change);
    const documents = this.#collections.get(change.ns) ?? new Map<number, ModelDocument>();
    this.#collections.set(change.ns, documents);
    if (change.document === undefined) documents.delete(change.id);
    else documents.set(change.id, change.document);
  }
}
