// The oplog of one replica set as a source of changes: it verifies that its place is still there (promise F), and opens a
// new cursor after a failover or a lost connection, from the last entry it handed out.
import type { Logger } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { SourceConnection } from '../mongo/client.js';
import { Members } from '../mongo/members.js';
import { isRetriableMongoError } from '../mongo/mongo-errors.js';
import type { SourceHealth } from '../mongo/source-health.js';
import { PositionLost } from '../position-lost.js';
import type { ChangeSource, EntryBatch, TransactionSource } from '../source.js';
import { entryTimestamp, readOplog } from './oplog-cursor.js';
import { holdsEntry, newestMajorityPosition, positionLost } from './oplog-window.js';
import { TransactionEntries } from './transaction-entries.js';

export class OplogSource implements ChangeSource, TransactionSource {
  readonly #client: MongoClient;
  readonly #health: Pick<SourceHealth, 'reader'>;
  readonly #about: object;
  readonly #members: Members;

  /**
   * @param client - connected to the replica set, by `connection`
   * @param about - which one it is, where there are several, for the log
   */
  constructor(client: MongoClient, connection: SourceConnection, health: Pick<SourceHealth, 'reader'>, logger: Logger, about: object = {}) {
    this.#client = client;
    this.#health = health;
    this.#about = about;
    this.#members = new Members(client, connection, logger.child(about));
  }

  entriesOf(end: Buffer): AsyncGenerator<Buffer> {
    return new TransactionEntries(this.#client, this.#members).entriesOf(end);
  }

  newestPosition(): Promise<Position> {
    return newestMajorityPosition(this.#client);
  }

  async *read(after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    try {
      yield* this.#read(after, signal);
    } finally {
      await this.#members.close();
    }
  }

  async *#read(after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    let end = after;
    const reader = this.#health.reader();
    let member = this.#client;
    try {
      while (!signal.aborted) {
        try {
          for await (const batch of this.#readFrom(member, end, signal)) {
            reader.answered();
            end = batch.end;
            yield batch;
          }
        } catch (error) {
          if (signal.aborted) return;
          const isLost = error instanceof PositionLost && member === this.#client;
          const other = isLost ? await this.#members.find((each) => holdsEntry(each, error.position), signal) : undefined;
          // Whichever member is read next is asked first.
          member = other ?? this.#client;
          if (other !== undefined) continue;
          if (!isRetriableMongoError(error)) throw error;
          await reader.failed(error, signal, { ...this.#about, position: end.toString() });
        }
      }
    } finally {
      reader.close();
    }
  }

  async *#readFrom(member: MongoClient, after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    let end = after;
    let verified = false;
    for await (const entries of readOplog(member, after, signal)) {
      if (verified) {
        end = entries.length === 0 ? end : entryTimestamp(entries.at(-1) as Buffer);
        yield { entries, end, isWhole: true };
        continue;
      }
      const first = entries[0];
      // The entry at the checkpoint is always in the oplog, unless it was truncated; only its presence proves that none behind it is missing.
      if (first === undefined || !isEntryAt(first, after)) throw await positionLost(member, after);
      verified = true;
      end = entryTimestamp(entries.at(-1) as Buffer);
      // Of an entry that the checkpoint is inside of, operations may be left: it is read again as a whole.
      yield { entries: after.ordinal > 0 ? entries : entries.slice(1), end, isWhole: true };
    }
  }
}

const isEntryAt = (entry: Buffer, { t, i }: Position): boolean => {
  const ts = entryTimestamp(entry);
  return ts.t === t && ts.i === i;
};
