// A collection and its oplog in memory, with every state that it ever had: what a real server cannot be asked for.
import { Position } from '@tailwater/schema';
import { Int32, Long, Timestamp, UUID } from 'bson';
import { entry, raw, T } from '../../../unit/producer/support/entries.js';
import { ORDERS } from '../../../unit/producer/support/rows.js';

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

const SESSION = { id: new UUID('0189c9f6-9b2c-7c9e-8d2f-3a5b7c9d1e0f') };
const opTime = (i: number) =>
  i === 0 ? { ts: new Timestamp(0n), t: Long.fromNumber(-1) } : { ts: new Timestamp({ t: T, i }), t: Long.fromNumber(1) };
/** A transaction of as many wishes or more stands in several entries. */
const CHAINED_WISHES = 3;

export class ModelDatabase {
  readonly namespace = ORDERS;
  /** Entry `n` is at `T:n + 2`; `T:1` is where everything begins. */
  readonly entries: Buffer[] = [];
  readonly events: ModelEvent[] = [];
  /** State `n` is that behind entry `n - 1`: documents by key. */
  readonly #states: ReadonlyMap<number, Buffer>[];

  /** @param keys - of documents that are there before the oplog begins */
  constructor(keys: readonly number[]) {
    this.#states = [new Map(keys.map((key) => [key, raw({ _id: new Int32(key), writtenAt: '0' })]))];
  }

  static readonly start = new Position(T, 1);

  /** The position of the newest entry. */
  get end(): Position {
    return new Position(T, this.entries.length + 1);
  }

  /**
   * Fulfils the wishes in one oplog entry, or in one and two before it: several become a transaction. Wishes that change nothing
   * leave no trace, as in MongoDB.
   */
  write(wishes: readonly Wish[]): void {
    const state = new Map(this.#states.at(-1));
    const operations: { op: string; o: object; o2?: object }[] = [];
    const first = this.entries.length + 2;
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
    if (operations.length === 1 && i === first) this.entries.push(entry({ ...operation, i }));
    else this.#transaction(operations, first, i);
    // What the entries before the last one hold has not happened yet.
    for (let at = first; at < i; at++) this.#states.push(this.#states.at(-1) as ReadonlyMap<number, Buffer>);
    this.#states.push(state);
  }

  #transaction(operations: readonly object[], first: number, end: number): void {
    const perEntry = Math.ceil(operations.length / (end - first + 1));
    for (let i = first; i <= end; i++) {
      const from = (i - first) * perEntry;
      const applyOps = operations.slice(from, from + perEntry).map((operation) => ({ ...operation, ns: this.namespace.name }));
      const prevOpTime = opTime(i === first ? 0 : i - 1);
      const more = { lsid: SESSION, txnNumber: Long.fromNumber(first), prevOpTime };
      this.entries.push(entry({ op: 'c', ns: 'admin.$cmd', o: { applyOps, ...(i < end ? { partialTxn: true } : {}) }, i, more }));
    }
  }

  /** The entries behind a position, at most so many. */
  behind(position: Position, limit: number): Buffer[] {
    const from = position.i - 1;
    return this.entries.slice(from, from + limit);
  }

  /** The documents by key as they were at the position. */
  stateAt(position: Position): ReadonlyMap<number, Buffer> {
    return this.#states[position.i - 1] as ReadonlyMap<number, Buffer>;
  }

  /** A position between `notBefore` and the newest one, `lag` entries back where there are as many. */
  readableAt(notBefore: Position, lag: number): Position {
    return new Position(T, Math.max(notBefore.i, this.end.i - lag));
  }
}
