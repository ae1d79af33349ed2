// `--start-at`: where in the oplog a first start begins. A producer that has a checkpoint goes on from that.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { type MongoClient, Timestamp } from 'mongodb';
import type { MongoSource, SourceKind } from '../mongo/connect.js';
import type { ChangeSource } from '../source.js';
import { OplogFile } from './oplog-file.js';
import { newestMajorityPosition, oldestPosition, toPosition } from './oplog-window.js';

/** A position: everything at or behind it is published. A file is read when it is needed: once there is a checkpoint, it may be gone. */
export type StartAt = 'now' | 'earliest' | Position | OplogFile;

const FILE = 'file:';

const ISO_DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/;

/**
 * Reads `now`, `earliest`, a position `t:i`, an ISO date with its time zone, or `file:` and the path of a checkpoint of mongo-connector.
 *
 * @throws TailwaterError TW1143 for anything else
 */
export function parseStartAt(text: string): StartAt {
  if (text === 'now' || text === 'earliest') return text;
  if (text.startsWith(FILE) && text.length > FILE.length) return new OplogFile(text.slice(FILE.length));
  const position = Position.parse(text);
  if (position !== undefined && position.ordinal === 0) return position;
  const milliseconds = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (!(milliseconds >= 0)) throw new TailwaterError(errorCodes.BAD_START_POSITION, { text });
  return new Position(Math.floor(milliseconds / 1000), 0);
}

/**
 * The position behind which the tail begins. It is that of an entry of the oplog, so that its presence proves that none behind it is missing.
 * `earliest` begins behind the oldest entry, which is about to be removed in any case.
 *
 * @throws TailwaterError TW1064, TW1065 for a file that names no place in this oplog, TW1144 when the oplog does not reach back to the position, or has not come to it
 */
export async function resolveStartAt(
  { client, isMongos, replicaSet }: MongoSource,
  kind: SourceKind,
  source: ChangeSource,
  given: StartAt,
): Promise<Position> {
  if (given === 'now') return source.newestPosition();
  if (given === 'earliest') return oldestPosition(client);
  const startAt = given instanceof OplogFile ? await given.position(isMongos ? undefined : replicaSet) : given;
  // Whether a stream, or the shards, can begin there is found out when they are opened: TW1160, TW1106.
  if (kind === 'change-stream' || isMongos) return justBefore(startAt);
  const newest = await newestMajorityPosition(client);
  const before = startAt.compare(newest) > 0 ? undefined : await newestBefore(client, startAt);
  if (before !== undefined) return before;
  const oldest = await oldestPosition(client);
  throw new TailwaterError(errorCodes.START_POSITION_LEFT_OPLOG, {
    position: startAt.toString(),
    date: dateOf(startAt),
    oldest: `${oldest} (${dateOf(oldest)})`,
    newest: `${newest} (${dateOf(newest)})`,
  });
}

const justBefore = ({ t, i }: Position): Position => (i > 0 ? new Position(t, i - 1) : new Position(t - 1, 0xffff_ffff));

async function newestBefore(client: MongoClient, { t, i }: Position): Promise<Position | undefined> {
  const entry = await client
    .db('local')
    .collection('oplog.rs')
    .find({ ts: { $lt: new Timestamp({ t, i }) } }, { projection: { ts: 1 }, sort: { $natural: -1 }, limit: 1, readConcern: 'majority' })
    .next();
  return entry === null ? undefined : toPosition(entry['ts'] as Timestamp);
}

const dateOf = ({ t }: Position): string => new Date(t * 1000).toISOString();
