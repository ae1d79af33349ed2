// Reads that see everything up to a position, whichever member answers.
import { sleep } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import { type ClientSession, type MongoClient, Timestamp } from 'mongodb';
import { isBeforePosition } from './mongo-errors.js';

/** How long a member that lags is asked again before the pipeline begins anew, and how often, in milliseconds. */
const BEHIND_MS = 30_000;
const BEHIND_POLL_MS = 50;

/**
 * Calls `read` with a causally consistent session that has seen the position: a member that lags behind it waits instead of answering
 * with the past. One may not even know the time of the position yet, and refuse to wait for it: then `read` is called again.
 */
export async function readAfter<T>(client: MongoClient, { t, i }: Position, read: (session: ClientSession) => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + BEHIND_MS; ; ) {
    try {
      return await client.withSession({ causalConsistency: true }, (session) => {
        session.advanceOperationTime(new Timestamp({ t, i }));
        return read(session);
      });
    } catch (error) {
      if (!isBeforePosition(error) || performance.now() > deadline) throw error;
      await sleep(BEHIND_POLL_MS);
    }
  }
}
