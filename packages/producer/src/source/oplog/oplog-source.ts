// The oplog of one replica set as a source of changes: it verifies that its place is still there (promise F), and opens a
// new cursor after a failover or a lost connection, from the last entry it handed out.
import type { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { isRetriableMongoError } from '../mongo/mongo-errors.js';
import type { SourceHealth } from '../mongo/source-health.js';
import type { ChangeSource, EntryBatch } from '../source.js';
import { entryTimestamp, readOplog } from './oplog-cursor.js';
import { newestMajorityPosition, positionLost } from './oplog-window.js';

export class OplogSource implements ChangeSource {
  readonly #client: MongoClient;
  readonly #health: SourceHealth;
  readonly #about: object;

  /** @param about - which one it is, where there are several, for the log */
  constructor(client: MongoClient, health: SourceHealth, about: object = {}) {
    this.#client = client;
    this.#health = health;
    this.#about = about;
  }

  newestPosition(): Promise<Position> {
    return newestMajorityPosition(this.#client);
  }

  async *read(after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    let end = after;
    const reader = this.#health.reader();
    try {
      while (!signal.aborted) {
        try {
          for await (const batch of this.#readFrom(end, signal)) {
            reader.answered();
            end = batch.end;
            yield batch;
          }
        } catch (error) {
          if (signal.aborted) return;
          if (!isRetriableMongoError(error)) throw error;
          await reader.failed(error, signal, { ...this.#about, position: end.toString() });
        }
      }
    } finally {
      reader.close();
    }
  }

  async *#readFrom(after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    let end = after;
    let verified = false;
    for await (const entries of readOplog(this.#client, after, signal)) {
      if (verified) {
        end = entries.length === 0 ? end : entryTimestamp(entries.at(-1) as Buffer);
        yield { entries, end, isWhole: true };
        continue;
      }
      const first = entries[0];
      // The entry at the checkpoint is always in the oplog, unless it was truncated; only its presence proves that none behind it is missing.
      if (first === undefined || !isEntryAt(first, after)) throw await positionLost(this.#client, after);
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
