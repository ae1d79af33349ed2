// Collections and their oplog in memory, with every state that they ever had: what a real server cannot be asked for.
import { Position } from '@tailwater/schema';
import { type BSON, Int32, Long, Timestamp, UUID } from 'bson';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { entry, raw, T } from '#test/unit/producer/support/entries.js';
import { ORDERS } from '#test/unit/producer/support/rows.js';

/** What an application asks for; what the oplog says depends on whether the document is there. */
export interface Wish {
  readonly kind: 'put' | 'patch' | 'delete';
  readonly key: number;
}

export interface ModelEvent {
  readonly position: Position;
  readonly op: 'insert' | 'replace' | 'update' | 'delete';
  readonly key: string;
}

type Documents = ReadonlyMap<number, Buffer>;
type Collections = ReadonlyMap<string, Documents>;

const SESSION = { id: new UUID('0189c9f6-9b2c-7c9e-8d2f-3a5b7c9d1e0f') };
const opTime = (i: number) =>
  i === 0 ? { ts: new Timestamp(0n), t: Long.fromNumber(-1) } : { ts: new Timestamp({ t: T, i }), t: Long.fromNumber(1) };
/** A transaction of as many wishes or more stands in several entries. */
const CHAINED_WISHES = 3;
const NOTHING: Documents = new Map();

export class ModelDatabase {
  /** Entry `n` is at `T:n + 2`; `T:1` is where everything begins. */
  readonly entries: Buffer[] = [];
  readonly events: ModelEvent[] = [];
  /** State `n` is that behind entry `n - 1`. */
  readonly #states: Collections[];

  /** @param existing - by namespace: keys of documents that are there before the oplog begins */
  constructor(existing: Readonly<Record<string, readonly number[]>>) {
    const documents = (keys: readonly number[]) => new Map(keys.map((key) => [key, raw({ _id: new Int32(key), writtenAt: '0' })]));
    this.#states = [new Map(Object.entries(existing).map(([name, keys]) => [name, documents(keys)]))];
  }

  static readonly start = new Position(T, 1);

  /** The position of the newest entry. */
  get end(): Position {
    return new Position(T, this.entries.length + 1);
  }

  /**
   * Fulfils the wishes in one oplog entry, or in one and two before it: several become a transaction. Wishes that change nothing
   * leave no trace, as in MongoDB. A collection that is missing is made before.
   */
  write(wishes: readonly Wish[], { name, collection }: TrackedNamespace = ORDERS): void {
    const before = this.#now.get(name);
    const state = new Map(before);
    const operations: { op: string; o: object; o2?: object }[] = [];
    const first = this.entries.length + (before === undefined ? 3 : 2);
    const i = wishes.length < CHAINED_WISHES ? first : first + 2;
    for (const { kind, key } of wishes) {
      const exists = state.has(key);
      if (kind === 'delete' && !exists) continue;
      const ordinal = operations.length;
      const document = { _id: new Int32(key), writtenAt: `${i}:${ordinal}` };
      const o2 = { _id: document._id };
      const position = new Position(T, i, ordinal);
      if (kind === 'delete') {
        state.delete(key);
        operations.push({ op: 'd', o: o2 });
        this.events.push({ position, op: 'delete', key: String(key) });
        continue;
      }
      state.set(key, raw(document));
      const op = !exists ? 'insert' : kind === 'put' ? 'replace' : 'update';
      this.events.push({ position, op, key: String(key) });
      if (op === 'insert') operations.push({ op: 'i', o: document, o2 });
      else if (op === 'replace') operations.push({ op: 'u', o: document, o2 });
      else operations.push({ op: 'u', o: { $v: new Int32(2), diff: { u: { writtenAt: document.writtenAt } } }, o2 });
    }
    const [operation] = operations;
    if (operation === undefined) return;
    if (before === undefined) this.#command({ create: collection }, new Map([...this.#now, [name, NOTHING]]));
    if (operations.length === 1 && i === first) this.entries.push(entry({ ...operation, ns: name, i }));
    else this.#transaction(operations, name, first, i);
    const behind = new Map([...this.#now, [name, state]]);
    // What the entries before the last one hold has not happened yet.
    for (let at = first; at < i; at++) this.#states.push(this.#now);
    this.#states.push(behind);
  }

  drop({ name, collection }: TrackedNamespace): void {
    if (!this.#now.has(name)) return;
    const left = new Map(this.#now);
    left.delete(name);
    this.#command({ drop: collection }, left);
  }

  rename(from: TrackedNamespace, to: TrackedNamespace): void {
    const documents = this.#now.get(from.name);
    if (documents === undefined || from === to) return;
    const moved = new Map([...this.#now, [to.name, documents]]);
    moved.delete(from.name);
    this.#command({ renameCollection: from.name, to: to.name, dropTarget: true }, moved);
  }

  /** One of several shards drops its part of the collection, which held nothing, or makes one: the collection is as it was. */
  onOneShard(kind: 'create' | 'drop', { name, collection }: TrackedNamespace): void {
    if (this.#now.has(name)) this.#command({ [kind]: collection }, this.#now, kind === 'create' ? { fromMigrate: true } : {});
  }

  #command(o: BSON.Document, behind: Collections, more: BSON.Document = {}): void {
    this.entries.push(entry({ op: 'c', ns: 'shop.$cmd', o, i: this.entries.length + 2, more }));
    this.#states.push(behind);
  }

  #transaction(operations: readonly object[], ns: string, first: number, end: number): void {
    const perEntry = Math.ceil(operations.length / (end - first + 1));
    for (let i = first; i <= end; i++) {
      const from = (i - first) * perEntry;
      const applyOps = operations.slice(from, from + perEntry).map((operation) => ({ ...operation, ns }));
      const prevOpTime = opTime(i === first ? 0 : i - 1);
      const more = { lsid: SESSION, txnNumber: Long.fromNumber(first), prevOpTime };
      this.entries.push(entry({ op: 'c', ns: 'admin.$cmd', o: { applyOps, ...(i < end ? { partialTxn: true } : {}) }, i, more }));
    }
  }

  get #now(): Collections {
    return this.#states.at(-1) as Collections;
  }

  /** The names of the collections that there are now. */
  collections(): string[] {
    return [...this.#now.keys()];
  }

  /** The entries behind a position, at most so many, as a member shows them that lags behind the newest by so many. */
  behind(position: Position, limit: number, lag = 0): Buffer[] {
    const from = position.i - 1;
    return this.entries.slice(from, Math.max(from, Math.min(from + limit, this.entries.length - lag)));
  }

  /** A collection's documents by key as they were at the position. */
  stateAt(position: Position, { name }: TrackedNamespace = ORDERS): Documents {
    return this.#states[position.i - 1]?.get(name) ?? NOTHING;
  }

  /** A position between `notBefore` and the newest one, `lag` entries back where there are as many. */
  readableAt(notBefore: Position, lag: number): Position {
    return new Position(T, Math.max(notBefore.i, this.end.i - lag));
  }
}
