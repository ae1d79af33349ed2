// Reads that see everything up to a position, whichever member answers.
import { sleep } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import { type ClientSession, type MongoClient, Timestamp } from 'mongodb';
import { isBeforePosition, isRetriableMongoError } from './mongo-errors.js';

/** How long a member that lags, or one that fails in passing, is asked again before the pipeline begins anew, and how often, in milliseconds. */
const BEHIND_MS = 30_000;
const FAILING_MS = 10_000;
const POLL_MS = 50;

/**
 * Calls `read` with a causally consistent session that has seen the position: a member that lags behind it waits instead of answering
 * with the past. One may not even know the time of the position yet, and refuse to wait for it: then `read` is called again, as it is
 * after whatever else passes: to begin the pipeline anew for an interrupted query would cost more than the query.
 */
export async function readAfter<T>(client: MongoClient, { t, i }: Position, read: (session: ClientSession) => Promise<T>): Promise<T> {
  for (const startedMs = performance.now(); ; ) {
    try {
      return await client.withSession({ causalConsistency: true }, (session) => {
        session.advanceOperationTime(new Timestamp({ t, i }));
        return read(session);
      });
    } catch (error) {
      const limitMs = isBeforePosition(error) ? BEHIND_MS : FAILING_MS;
      if (!isRetriableMongoError(error) || performance.now() - startedMs > limitMs) throw error;
      await sleep(POLL_MS);
    }
  }
}
