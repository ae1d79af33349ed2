// One cursor of a change stream, in raw BSON: replies are split here and nothing is decoded. The driver's own ChangeStream
// hands out objects; its rules for going on are kept by the source.
// https://github.com/mongodb/specifications/blob/master/source/change-streams/change-streams.md
import { RAW_BATCHES } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import { BSON, type ClientSession, type Db, type Document, Long, type MongoClient, ReadPreference, Timestamp } from 'mongodb';
import { isLarge } from '../large-reply.js';
import type { StreamScope } from '../mongo/stream-scope.js';
import { resumeTokenOf } from './stream-position.js';

/** Events that one reply holds at most; replies are bounded to 16 MB by the server as well. */
const BATCH_EVENTS = 2000;
const KILL_TIMEOUT_MS = 2000;

export interface StreamRequest {
  readonly scope: StreamScope;
  /** Fields of the $changeStream stage besides where it begins. */
  readonly stage: Document;
  /** The stages behind it. */
  readonly pipeline: readonly Document[];
}

export interface StreamReply {
  readonly events: Buffer[];
  /** The token behind these events, and behind all that the server has passed over. */
  readonly token: Buffer | undefined;
}

/**
 * Opens a cursor behind `from`, or at the end of what is committed, and yields one reply after the other, empty ones too, while
 * the cursor lives.
 *
 * @param awaitMs - how long the server waits for events before it answers with none, in milliseconds; asked before each read
 */
export async function* readChangeStream(
  client: MongoClient,
  request: StreamRequest,
  from: Position | undefined,
  awaitMs: () => number,
  signal?: AbortSignal,
): AsyncGenerator<StreamReply> {
  const session = client.startSession({ causalConsistency: false });
  const { database, collection } = request.scope;
  const stream = new StreamCursor(client.db(database ?? 'admin'), collection, session, signal);
  try {
    let reading = stream.open(request, from);
    while (true) {
      const reply = await reading;
      if (stream.isOver) {
        yield reply;
        return;
      }
      if (isLarge(reply.events)) {
        yield reply;
        reading = stream.next(awaitMs());
        continue;
      }
      // The next reply is on its way while this one is worked on.
      reading = stream.next(awaitMs());
      reading.catch(() => {}); // Awaited above in the next turn; without this an early failure would count as unhandled.
      yield reply;
    }
  } finally {
    await stream.close();
  }
}

class StreamCursor {
  readonly #db: Db;
  readonly #collection: string | undefined;
  readonly #session: ClientSession;
  readonly #signal: AbortSignal | undefined;
  #id = 0n;

  constructor(db: Db, collection: string | undefined, session: ClientSession, signal: AbortSignal | undefined) {
    this.#db = db;
    this.#collection = collection;
    this.#session = session;
    this.#signal = signal;
  }

  /** The server has ended it: behind an invalidate event there is nothing more to read. */
  get isOver(): boolean {
    return this.#id === 0n;
  }

  open({ scope, stage, pipeline }: StreamRequest, from: Position | undefined): Promise<StreamReply> {
    const everything = scope.database === undefined ? { allChangesForCluster: true } : {};
    const after = from === undefined ? undefined : new Timestamp({ t: from.t, i: from.i });
    return this.#run({
      aggregate: this.#collection ?? 1,
      pipeline: [{ $changeStream: { ...stage, ...everything, ...startOf(from) } }, ...pipeline],
      cursor: { batchSize: from === undefined ? 0 : BATCH_EVENTS },
      // A member that lags behind the place waits for it instead of showing a stream that ends before it.
      readConcern: { level: 'majority', ...(after === undefined ? {} : { afterClusterTime: after }) },
    });
  }

  next(awaitMs: number): Promise<StreamReply> {
    const collection = this.#collection ?? '$cmd.aggregate';
    return this.#run({ getMore: Long.fromBigInt(this.#id), collection, batchSize: BATCH_EVENTS, maxTimeMS: awaitMs });
  }

  async close(): Promise<void> {
    if (this.#id !== 0n) {
      const command = { killCursors: this.#collection ?? '$cmd.aggregate', cursors: [Long.fromBigInt(this.#id)] };
      const signal = AbortSignal.timeout(KILL_TIMEOUT_MS);
      await this.#db.command(command, { session: this.#session, signal }).catch(() => {});
    }
    await this.#session.endSession();
  }

  async #run(command: Document): Promise<StreamReply> {
    const reply = await this.#db.command(command, {
      session: this.#session,
      ...RAW_BATCHES,
      readPreference: ReadPreference.primaryPreferred,
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    });
    const { id, firstBatch, nextBatch, postBatchResumeToken } = reply['cursor'] as CursorReply;
    const events = (firstBatch ?? nextBatch ?? []).map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const token = postBatchResumeToken === undefined ? undefined : Buffer.from(BSON.serialize(postBatchResumeToken));
    this.#id = id.toBigInt();
    return { events, token };
  }
}

/** `startAfter` takes every token, also that of an invalidate event, behind which a stream begins anew. */
function startOf(from: Position | undefined): Document {
  if (from === undefined) return {};
  const token = resumeTokenOf(from);
  if (token !== undefined) return { startAfter: BSON.deserialize(token, { promoteValues: false }) };
  return { startAtOperationTime: new Timestamp({ t: from.t, i: from.i }) };
}

interface CursorReply {
  readonly id: Long;
  readonly firstBatch?: Uint8Array[];
  readonly nextBatch?: Uint8Array[];
  readonly postBatchResumeToken?: Document;
}
