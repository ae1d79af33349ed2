// One tailable cursor over local.oplog.rs, in raw BSON: the driver splits replies, nothing is decoded. Majority read
// concern keeps promise G: what a failover may roll back is never handed out.
import { BsonCursor, Position } from '@tailwater/schema';
import { type FindCursor, type MongoClient, ReadPreference, Timestamp } from 'mongodb';
import { isLarge } from '../large-reply.js';

/** Entries that one reply holds at most; replies are bounded to 16 MB by the server as well. */
const BATCH_ENTRIES = 2000;
/** How long the server waits for new entries before it answers with none, in milliseconds. */
const MAX_AWAIT_MS = 1000;
const TS = Buffer.from('ts');

const fields = new BsonCursor();

/** The `ts` of a raw oplog entry. */
export function entryTimestamp(entry: Buffer): Position {
  fields.enter(entry, 0);
  while (fields.next()) {
    if (fields.isNamed(TS)) return new Position(entry.readUInt32LE(fields.valueStart + 4), entry.readUInt32LE(fields.valueStart));
  }
  throw new TypeError('An oplog entry has no ts');
}

/** The connection string's, where it names one; else the primary, or any member while there is no primary. */
function preferenceOf(client: MongoClient): ReadPreference {
  const { readPreference } = client;
  return readPreference.mode === ReadPreference.PRIMARY ? ReadPreference.primaryPreferred : readPreference;
}

/** Opens a cursor at the first entry at or after `from`, and yields one batch a reply, empty ones too, while the cursor lives. */
export async function* readOplog(client: MongoClient, from: Position, signal: AbortSignal): AsyncGenerator<Buffer[]> {
  const start = new Timestamp({ t: from.t, i: from.i });
  // A causally consistent session that has seen `from`: a member that lags behind it waits for it, instead of showing an oplog
  // that ends before, which would look like a gap.
  const session = client.startSession({ causalConsistency: true });
  session.advanceOperationTime(start);
  const cursor = client
    .db('local')
    .collection('oplog.rs')
    .find(
      { ts: { $gte: start } },
      {
        session,
        raw: true,
        tailable: true,
        awaitData: true,
        batchSize: BATCH_ENTRIES,
        maxAwaitTimeMS: MAX_AWAIT_MS,
        readConcern: 'majority',
        readPreference: preferenceOf(client),
        signal,
      },
    );
  try {
    let reading = readReply(cursor);
    while (true) {
      const batch = await reading;
      if (cursor.closed || cursor.id?.isZero() === true) {
        // The server ended the cursor (the oplog's end moved past it, or the node stepped down): the caller opens another.
        if (batch.length > 0) yield batch;
        return;
      }
      if (isLarge(batch)) {
        yield batch;
        reading = readReply(cursor);
        continue;
      }
      // The next reply is on its way while this one is worked on.
      reading = readReply(cursor);
      reading.catch(() => {}); // Awaited above in the next turn; without this an early failure would count as unhandled.
      yield batch;
    }
  } finally {
    await cursor.close().catch(() => {});
    await session.endSession();
  }
}

async function readReply(cursor: FindCursor): Promise<Buffer[]> {
  const first = (await cursor.tryNext()) as Uint8Array | null;
  if (first === null) return [];
  const rest = cursor.readBufferedDocuments() as unknown as Uint8Array[];
  const entries = new Array<Buffer>(rest.length + 1);
  entries[0] = asBuffer(first);
  for (let index = 0; index < rest.length; index++) entries[index + 1] = asBuffer(rest[index] as Uint8Array);
  return entries;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
