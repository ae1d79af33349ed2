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
const NO_PREVIOUS = { ts: new Timestamp({ t: 0, i: 0 }), t: Long.fromNumber(-1) };

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

  /** Fulfils the wishes in one oplog entry: several become a transaction. Wishes that change nothing leave no trace, as in MongoDB. */
  write(wishes: readonly Wish[]): void {
    const state = new Map(this.#states.at(-1));
    const operations: { op: string; o: object; o2?: object }[] = [];
    const i = this.entries.length + 2;
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
    const [first] = operations;
    if (first === undefined) return;
    this.#states.push(state);
    if (operations.length === 1) this.entries.push(entry({ ...first, i }));
    else {
      const applyOps = operations.map((operation) => ({ ...operation, ns: this.namespace.name }));
      const more = { lsid: SESSION, txnNumber: Long.fromNumber(i), prevOpTime: NO_PREVIOUS };
      this.entries.push(entry({ op: 'c', ns: 'admin.$cmd', o: { applyOps }, i, more }));
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
