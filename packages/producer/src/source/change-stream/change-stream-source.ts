// Change streams as a source of changes, for users without access to `local`, for Atlas, and for clusters behind a mongos.
// A lost cursor is opened again behind the last event that was handed out; nothing is skipped or repeated.
import { errorCodes, type Logger, sleep, TailwaterError } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { type Document, type MongoClient, MongoServerError } from 'mongodb';
import type { SourceConnection } from '../mongo/client.js';
import { Members } from '../mongo/members.js';
import { isRetriableMongoError, isUnauthorized } from '../mongo/mongo-errors.js';
import { isUnwatchable } from '../mongo/namespace-kinds.js';
import { connectOneMongos } from '../mongo/one-mongos.js';
import type { SourceHealth } from '../mongo/source-health.js';
import { matchStage, type NamespacePatterns, scopeOf } from '../mongo/stream-scope.js';
import { newestMajorityPosition } from '../oplog/oplog-window.js';
import { PositionLost } from '../position-lost.js';
import type { ChangeSource, EntryBatch } from '../source.js';
import { eventPlace, positionBehind } from './event-place.js';
import { readToken } from './resume-token.js';
import { SplitEvents } from './split-events.js';
import { readChangeStream, type StreamReply, type StreamRequest } from './stream-cursor.js';
import { resumeTokenOf, StreamPosition } from './stream-position.js';

const REOPEN_DELAY_MS = 250;
/** The server's longest wait for events, in milliseconds; while a snapshot's chunk waits for the stream to move on, it is the short one. */
const LONG_AWAIT_MS = 1000;
const SHORT_AWAIT_MS = 10;

/** InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost: this place cannot be read from any more. */
const PLACE_LOST = new Set([260, 280, 286]);
const BSON_OBJECT_TOO_LARGE = 10_334;

export interface ChangeStreamOptions extends NamespacePatterns {
  /** `major.minor.patch` of the server. */
  readonly version: string;
  readonly connection: SourceConnection;
  /** It is a mongos that is read through: there a token says less about what has passed. */
  readonly isMongos: boolean;
  /** Take the document as it was right after an update from the server, where a collection keeps it. */
  readonly postImages: boolean;
  /** Whether the stream's position is waited for. */
  readonly isAwaited: () => boolean;
}

export class ChangeStreamSource implements ChangeSource {
  readonly #client: MongoClient;
  readonly #options: ChangeStreamOptions;
  #request: StreamRequest;
  readonly #health: SourceHealth;
  readonly #logger: Logger;
  readonly #members: Members;
  #openings = 0;

  constructor(client: MongoClient, options: ChangeStreamOptions, health: SourceHealth, logger: Logger) {
    this.#client = client;
    this.#options = options;
    this.#request = requestOf(options);
    this.#health = health;
    this.#logger = logger;
    this.#members = new Members(client, options.connection, logger);
  }

  /** Whether its events are those of several shards. */
  get isMongos(): boolean {
    return this.#options.isMongos;
  }

  /** Where a stream that is opened now begins: it needs no right but that to open it. */
  async newestPosition(): Promise<Position> {
    try {
      return await this.#newest();
    } catch (error) {
      if (!this.#widens(error)) throw this.#coded(error, new Position(0, 0));
      return this.newestPosition();
    }
  }

  async #newest(): Promise<Position> {
    for await (const { token } of readChangeStream(this.#client, this.#request, undefined, () => SHORT_AWAIT_MS)) {
      const place = token === undefined ? undefined : readToken(token);
      // The token of a stream's beginning is the first place that it has not seen.
      if (token !== undefined && place !== undefined) return new StreamPosition(...before(place.t, place.i), 0, token);
      break;
    }
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
        const begin = end;
        try {
          for await (const batch of this.#readFrom(member, end, signal)) {
            reader.answered();
            end = batch.end;
            yield batch;
          }
          // The server has ended the stream: behind an invalidate event it begins anew, and a database may not exist yet.
          if (end === begin) await sleep(REOPEN_DELAY_MS, signal);
        } catch (error) {
          if (signal.aborted) return;
          if (this.#widens(error)) continue;
          const other = isPlaceLost(error) && member === this.#client ? await this.#elsewhere(end, signal) : undefined;
          // Whichever member is read next is asked first.
          member = other ?? this.#client;
          if (other !== undefined) continue;
          const coded = this.#coded(error, end);
          if (coded instanceof TailwaterError || !isRetriableMongoError(error)) throw coded;
          await reader.failed(error, signal, { position: end.toString() });
        }
      }
    } finally {
      reader.close();
    }
  }

  async *#readFrom(member: MongoClient, after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    const { connection, isMongos, isAwaited } = this.#options;
    // A cursor lives on the mongos that opened it, and commands go to any of them: the stream has a client of its own to one.
    const client = isMongos ? connectOneMongos(connection, this.#openings++) : member;
    const split = new SplitEvents();
    const awaitMs = (): number => (isAwaited() ? SHORT_AWAIT_MS : LONG_AWAIT_MS);
    try {
      let end = after;
      let mayRepeat = resumeTokenOf(after) === undefined;
      for await (const reply of readChangeStream(client, this.#request, after, awaitMs, signal)) {
        const events = split.join(mayRepeat ? behind(after, reply.events) : reply.events);
        const last = events.at(-1);
        if (last !== undefined) mayRepeat = false;
        if (last !== undefined) end = positionBehind(last);
        if (!split.isInside) end = further(end, reply, isMongos);
        // An entry shows all at once, so an empty reply behind one of its events says that there are no more. Not behind a mongos, which
        // holds events back until every shard has come so far.
        yield { entries: events, end, isWhole: !isMongos && reply.events.length === 0 };
      }
    } finally {
      if (client !== member) await client.close();
    }
  }

  /** A member from which the stream can be resumed at the position. A mongos knows the shards' members, which only it reads from. */
  async #elsewhere(after: Position, signal: AbortSignal): Promise<MongoClient | undefined> {
    if (this.#options.isMongos) return undefined;
    return this.#members.find(async (member) => {
      try {
        for await (const _ of readChangeStream(member, this.#request, after, () => SHORT_AWAIT_MS)) break;
        return true;
      } catch (error) {
        if (isPlaceLost(error)) return false;
        throw error;
      }
    }, signal);
  }

  /**
   * The only collection that is watched is a view now, or time series, which cannot be watched: its database is watched instead, until a
   * collection takes the name again. The oplog is read alike.
   */
  #widens(error: unknown): boolean {
    const { scope } = this.#request;
    if (scope.collection === undefined || scope.database === undefined || !isUnwatchable(error)) return false;
    this.#request = { ...this.#request, scope: { database: scope.database } };
    this.#logger.warn(
      { namespace: `${scope.database}.${scope.collection}` },
      'The namespace is not a collection: its database is watched instead',
    );
    return true;
  }

  #coded(error: unknown, position: Position): unknown {
    if (!(error instanceof MongoServerError)) return error;
    if (isPlaceLost(error)) return PositionLost.fromChangeStream(position, error);
    if (isUnauthorized(error))
      return new TailwaterError(errorCodes.CHANGE_STREAM_ACCESS_DENIED, { scope: describeScope(this.#request) }, { cause: error });
    if (error.code === BSON_OBJECT_TOO_LARGE)
      return new TailwaterError(errorCodes.CHANGE_EVENT_TOO_LARGE, { position: position.toString() }, { cause: error });
    return error;
  }
}

const isPlaceLost = (error: unknown): boolean => error instanceof MongoServerError && PLACE_LOST.has(Number(error.code));

function requestOf(options: ChangeStreamOptions): StreamRequest {
  const [major = 0, minor = 0, patch = 0] = options.version.split('.').map((part) => Number.parseInt(part, 10));
  const stage: Document = {
    ...(major >= 6 ? { showExpandedEvents: true } : {}),
    ...(options.postImages ? { fullDocument: 'whenAvailable' } : {}),
  };
  const match = matchStage(options);
  const canSplit = major >= 7 || (major === 6 && (minor > 0 || patch >= 9));
  const pipeline = [...(match === undefined ? [] : [match]), ...(canSplit ? [{ $changeStreamSplitLargeEvent: {} }] : [])];
  return { scope: scopeOf(options), stage, pipeline };
}

/** The events that an oplog's position does not cover: a stream without a token begins with the entry at its position. */
function behind(after: Position, events: readonly Buffer[]): readonly Buffer[] {
  return events.filter((event) => {
    const { t, i, ordinal } = eventPlace(event);
    return t !== after.t || i !== after.i || (after.ordinal > 0 && ordinal >= after.ordinal);
  });
}

/** The end of a reply, where the server has come further than to its last event. */
function further(end: Position, { token }: StreamReply, isMongos: boolean): Position {
  const place = token === undefined ? undefined : readToken(token);
  // The token that the stream began with says nothing new: nothing may have been written yet at its place.
  if (token === undefined || place === undefined || place.isEvent || resumeTokenOf(end)?.equals(token)) return end;
  const [t, i] = isMongos ? before(place.t, place.i) : [place.t, place.i];
  const reached = new StreamPosition(t, i, 0, token);
  return reached.compare(end) > 0 ? reached : end;
}

const before = (t: number, i: number): [t: number, i: number] => (i > 0 ? [t, i - 1] : [t - 1, 0xffff_ffff]);

function describeScope({ scope: { database, collection } }: StreamRequest): string {
  if (database === undefined) return 'the cluster';
  return collection === undefined ? `the database ${database}` : `the collection ${database}.${collection}`;
}
