// The oplog entries that hold a transaction's operations, found from the entry that ends it: back along the chain of
// prevOpTime, keeping positions only, and forward again with one entry in memory at a time, however large the transaction.
// They are looked up, not collected in passing: a producer that starts between them has not seen the first ones.
import type { Position } from '@tailwater/schema';
import { type ClientSession, type Document, type MongoClient, ReadPreference, Timestamp } from 'mongodb';
import type { Members } from '../mongo/members.js';
import type { TransactionSource } from '../source.js';
import { entryTimestamp } from './oplog-cursor.js';
import { entryAt, holdsEntry, positionLost } from './oplog-window.js';
import { previousPosition } from './previous-position.js';

export class TransactionEntries implements TransactionSource {
  readonly #client: MongoClient;
  readonly #members: Members | undefined;

  /** @param members - asked for what the oplog that is read has lost */
  constructor(client: MongoClient, members?: Members) {
    this.#client = client;
    this.#members = members;
  }

  async *entriesOf(end: Buffer): AsyncGenerator<Buffer> {
    // A causally consistent session that has seen the end: a member that lags behind it waits for it.
    const session = this.#client.startSession({ causalConsistency: true });
    try {
      const { t, i } = entryTimestamp(end);
      session.advanceOperationTime(new Timestamp({ t, i }));
      const last = previousPosition(end);
      if (last !== undefined) yield* this.#chain(last, session);
      yield end;
    } finally {
      await session.endSession();
    }
  }

  async *#chain(last: Position, session: ClientSession): AsyncGenerator<Buffer> {
    const positions: Position[] = [];
    // Most chains are one entry long, as where shards prepare a small transaction: that one is read once.
    const lastEntry = await this.#read(last, session, {});
    for (let at = previousPosition(lastEntry); at !== undefined; ) {
      positions.push(at);
      at = previousPosition(await this.#read(at, session, { prevOpTime: 1 }));
    }
    for (let at = positions.pop(); at !== undefined; at = positions.pop()) yield await this.#read(at, session, {});
    yield lastEntry;
  }

  /** @throws TailwaterError TW1106 when the oplog has lost the entry: what it held can no longer be read one by one (promise F) */
  async #read(position: Position, session: ClientSession, projection: Document): Promise<Buffer> {
    const found = (await this.#find(this.#client, position, session, projection)) ?? (await this.#findElsewhere(position, projection));
    if (found === null) throw await positionLost(this.#client, position);
    const bytes = found as unknown as Uint8Array;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async #findElsewhere(position: Position, projection: Document): Promise<Document | null> {
    const member = await this.#members?.find((each) => holdsEntry(each, position));
    return member === undefined ? null : this.#find(member, position, undefined, projection);
  }

  #find(client: MongoClient, position: Position, session: ClientSession | undefined, projection: Document): Promise<Document | null> {
    const options = { projection, raw: true, limit: 1, readConcern: 'majority', readPreference: ReadPreference.primaryPreferred } as const;
    return client
      .db('local')
      .collection('oplog.rs')
      .find(entryAt(position), session === undefined ? options : { ...options, session })
      .next();
  }
}
