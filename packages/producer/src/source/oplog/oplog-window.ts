// The oplog's window: its oldest and newest entries and its size, which say how long a producer may be away.
import { Position } from '@tailwater/schema';
import { type MongoClient, ReadPreference, Timestamp } from 'mongodb';
import { isUnauthorized } from '../mongo/mongo-errors.js';
import { PositionLost } from '../position-lost.js';

/** What is in the oplog now. */
export interface OplogWindow {
  readonly oldest: Position;
  readonly newest: Position;
  /** Undefined where the user may read the oplog, but not its size. */
  readonly size: OplogSize | undefined;
}

interface OplogSize {
  /** Bytes of entries in the oplog. */
  readonly usedBytes: number;
  /** Bytes that the capped oplog may grow to. */
  readonly maxBytes: number;
}

export const toPosition = (timestamp: Timestamp): Position => new Position(timestamp.getHighBitsUnsigned(), timestamp.getLowBitsUnsigned());

/** The newest position that a majority of the members holds: `hello.lastWrite.majorityOpTime`. A mongos says what it has heard of. */
export async function newestMajorityPosition(client: MongoClient): Promise<Position> {
  const hello = await client.db('admin').command({ hello: 1 });
  return toPosition((hello['lastWrite']?.majorityOpTime?.ts ?? hello['operationTime'] ?? hello['$clusterTime']?.clusterTime) as Timestamp);
}

/** How far a replica set has come. */
export interface CommitPoint {
  /** What a majority of the members holds, and no failover takes back. */
  readonly committed: Position;
  /** What the member that was asked has written. */
  readonly written: Position;
}

/** From the primary, or any member while there is no primary. A mongos says nothing of members: what it has heard of counts as committed. */
export async function readCommitPoint(client: MongoClient, signal: AbortSignal): Promise<CommitPoint> {
  const hello = await client.db('admin').command({ hello: 1 }, { readPreference: ReadPreference.primaryPreferred, signal });
  const heard = hello['operationTime'] ?? hello['$clusterTime']?.clusterTime;
  const committed = toPosition((hello['lastWrite']?.majorityOpTime?.ts ?? heard) as Timestamp);
  const written = hello['lastWrite']?.opTime?.ts as Timestamp | undefined;
  return { committed, written: written === undefined ? committed : toPosition(written) };
}

export async function oldestPosition(client: MongoClient): Promise<Position> {
  const oldest = await client
    .db('local')
    .collection('oplog.rs')
    .find({}, { projection: { ts: 1 }, sort: { $natural: 1 }, limit: 1 })
    .next();
  return toPosition(oldest?.['ts'] as Timestamp);
}

/** The filter for the entry at the position. Both bounds: the server finds a range of ts by the order of the oplog, which has no index. */
export function entryAt({ t, i }: Position): { readonly ts: { readonly $gte: Timestamp; readonly $lte: Timestamp } } {
  const ts = new Timestamp({ t, i });
  return { ts: { $gte: ts, $lte: ts } };
}

/** Whether the oplog has an entry at the position. */
export async function holdsEntry(client: MongoClient, position: Position): Promise<boolean> {
  const oplog = client.db('local').collection('oplog.rs');
  return (await oplog.findOne(entryAt(position), { projection: { ts: 1 }, readConcern: 'majority' })) !== null;
}

/** The error for an entry that the oplog no longer holds (promise F). */
export async function positionLost(client: MongoClient, position: Position): Promise<PositionLost> {
  return PositionLost.fromOplog(position, await oldestPosition(client));
}

export async function readOplogWindow(client: MongoClient): Promise<OplogWindow> {
  const [oldest, newest, size] = await Promise.all([oldestPosition(client), newestMajorityPosition(client), readSize(client)]);
  return { oldest, newest, size };
}

async function readSize(client: MongoClient): Promise<OplogSize | undefined> {
  const oplog = client.db('local').collection('oplog.rs');
  const sizes = { size: '$storageStats.size', maxSize: '$storageStats.maxSize' };
  try {
    const stats = await oplog.aggregate([{ $collStats: { storageStats: {} } }, { $project: sizes }]).next();
    return { usedBytes: Number(stats?.['size'] ?? 0), maxBytes: Number(stats?.['maxSize'] ?? 0) };
  } catch (error) {
    if (isUnauthorized(error)) return undefined;
    throw error;
  }
}
