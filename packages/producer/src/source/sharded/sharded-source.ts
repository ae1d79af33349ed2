// The oplogs of all shards as one source, in the order of cluster time. A document that moves to another shard is changed
// there at a later cluster time, so its changes keep their order (promise B), and one position says of all shards how far
// they are read (promise A). The price: the source is as far as the shard that is furthest behind.
//
// Maintained invariant: no position is handed out before the list of shards was read at that cluster time or later. What is
// written to a shard that was not listed yet is written later than that.
import { errorCodes, type Logger, Notifier, sleep, TailwaterError } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import { type MongoClient, Timestamp } from 'mongodb';
import { createSourceClient, type SourceConnection } from '../mongo/client.js';
import { Members } from '../mongo/members.js';
import { type ListedShard, listShards, type Shard, shardUri } from '../mongo/shards.js';
import type { SourceHealth } from '../mongo/source-health.js';
import { OplogSource } from '../oplog/oplog-source.js';
import { newestMajorityPosition, positionLost, toPosition } from '../oplog/oplog-window.js';
import { PositionLost } from '../position-lost.js';
import type { ChangeSource, EntryBatch, TransactionSource } from '../source.js';
import { ShardLane } from './shard-lane.js';
import type { ShardRoster } from './shard-roster.js';

/** Between two reads of the list of shards, in milliseconds; events wait for them. */
const BETWEEN_LISTS_MS = 200;
/** What the first entry of a replica set's oplog says: nothing was ever there before it. */
const FIRST_ENTRY = 'initiating set';

export interface ShardedSourceOptions {
  readonly roster: ShardRoster;
  /** Bytes of entries that may wait for other shards, all shards together. */
  readonly laneBytes: number;
  readonly health: Pick<SourceHealth, 'reader'>;
  /** How a shard is reached. */
  readonly connect?: (connection: SourceConnection) => MongoClient;
  /** Between two reads of the list of shards. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

export class ShardedSource implements ChangeSource, TransactionSource {
  readonly #client: MongoClient;
  readonly #connection: SourceConnection;
  readonly #laneBytes: number;
  readonly #health: Pick<SourceHealth, 'reader'>;
  readonly #roster: ShardRoster;
  readonly #connect: (connection: SourceConnection) => MongoClient;
  readonly #pause: (signal: AbortSignal) => Promise<void>;
  readonly #logger: Logger;
  /** The shard that an entry came from, for looking up others of its oplog. */
  readonly #origin = new WeakMap<Buffer, TransactionSource>();
  /** Up to which time shards are read that are no longer listed, and those that are. */
  #leaving: { readonly until: Position; readonly listed: readonly ListedShard[] } | undefined;

  /**
   * @param client - connected to a mongos, by `connection`
   */
  constructor(client: MongoClient, connection: SourceConnection, options: ShardedSourceOptions, logger: Logger) {
    this.#client = client;
    this.#connection = connection;
    this.#laneBytes = options.laneBytes;
    this.#health = options.health;
    this.#roster = options.roster;
    this.#connect = options.connect ?? createSourceClient;
    this.#pause = options.pause ?? ((signal) => sleep(BETWEEN_LISTS_MS, signal));
    this.#logger = logger;
  }

  entriesOf(end: Buffer): AsyncGenerator<Buffer> {
    const shard = this.#origin.get(end);
    if (shard === undefined) throw new TypeError('The entry came from no shard');
    return shard.entriesOf(end);
  }

  /** The position that every shard has passed. */
  async newestPosition(): Promise<Position> {
    const shards = await listShards(this.#client, this.#connection.uri);
    const newest = await Promise.all(shards.map(({ uri }) => this.#withShard(uri, newestMajorityPosition)));
    return earliest(newest);
  }

  /** Before the first position is written: from then on, no shard leaves unnoticed. */
  async begin(): Promise<void> {
    await this.#roster.add(await listShards(this.#client, this.#connection.uri));
  }

  /** What was read up to there is on its way to Kafka: shards that have left the cluster before are no longer of interest. */
  async passed(end: Position): Promise<void> {
    const leaving = this.#leaving;
    if (leaving === undefined || end.compare(leaving.until) < 0) return;
    this.#leaving = undefined;
    await this.#roster.keep(leaving.listed);
  }

  /** Shards that were listed once, and may have written what was not read. */
  async #former(
    listed: readonly Shard[],
    after: Position,
  ): Promise<{ readonly shards: readonly Shard[]; readonly until: Position | undefined }> {
    const missing = this.#roster.missing(listed);
    await this.#roster.add(listed);
    // A cluster time behind the list: nothing of the cluster is written to them later than that.
    const until = missing.length === 0 ? undefined : await newestMajorityPosition(this.#client);
    this.#leaving = until && { until, listed };
    if (until !== undefined && until.compare(after) > 0)
      return { shards: missing.map((shard) => ({ ...shard, uri: shardUri(this.#connection.uri, shard.host) })), until };
    return { shards: [], until };
  }

  async *read(after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    const current = await listShards(this.#client, this.#connection.uri);
    const former = await this.#former(current, after);
    const shards = [...current, ...former.shards];
    const clients = shards.map(({ uri }) => this.#connect({ ...this.#connection, uri }));
    const oplogs: OplogSource[] = [];
    const stop = new AbortController();
    const inner = AbortSignal.any([signal, stop.signal]);
    let failure: { error: unknown } | undefined;
    const news = new Notifier();
    const fail = (error: unknown): void => {
      failure ??= { error };
      news.notify();
    };
    const running: Promise<void>[] = [];
    try {
      const lanes: ShardLane[] = [];
      for (const [index, client] of clients.entries()) {
        const { name, uri } = shards[index] as Shard;
        const isFormer = index >= current.length;
        const connection = { ...this.#connection, uri };
        const about = { shard: name };
        const begin = entryAtOrBefore(client, connection, after, this.#logger.child(about), inner);
        const from = isFormer ? await begin.catch((error: unknown) => throwLost(error, name, after, inner)) : await begin;
        const oplog = new OplogSource(client, connection, isFormer ? WITHOUT_PATIENCE : this.#health, this.#logger, about);
        oplogs.push(oplog);
        lanes.push(
          new ShardLane(oplog, { from, after, until: isFormer ? former.until : undefined }, this.#laneBytes / clients.length, () =>
            news.notify(),
          ),
        );
      }
      for (const lane of lanes) running.push(lane.run(inner).catch(fail));
      const listed = new ListedTime(after);
      running.push(this.#watch(current, listed, () => news.notify(), inner).catch(fail));
      let end = after;
      while (!signal.aborted) {
        // From here on: what comes while this turn's entries are with the reader counts.
        const woken = news.next(inner);
        if (failure !== undefined) throw failure.error;
        listed.wanted = earliest(lanes.map((lane) => lane.end));
        const bound = earliest([listed.wanted, listed.reached]);
        const entries = bound.compare(end) > 0 ? this.#merge(lanes, oplogs, bound) : [];
        if (bound.compare(end) > 0) end = bound;
        yield { entries, end, isWhole: true };
        await woken;
      }
    } finally {
      stop.abort(new Error('The source is no longer read'));
      await Promise.allSettled(running);
      await Promise.allSettled(clients.map((client) => client.close()));
    }
  }

  async #withShard<T>(uri: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = this.#connect({ ...this.#connection, uri });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  /** The entries at or before `bound`, which every lane has come to. */
  #merge(lanes: readonly ShardLane[], oplogs: readonly OplogSource[], bound: Position): Buffer[] {
    const entries: Buffer[] = [];
    while (true) {
      let first = -1;
      let position = bound;
      for (let index = 0; index < lanes.length; index++) {
        const head = lanes[index]?.head;
        if (head === undefined || head.compare(bound) > 0 || (first >= 0 && head.compare(position) >= 0)) continue;
        first = index;
        position = head;
      }
      if (first < 0) return entries;
      const entry = (lanes[first] as ShardLane).take();
      this.#origin.set(entry, oplogs[first] as OplogSource);
      entries.push(entry);
    }
  }

  /** Reads the list again for every position that the shards have come to. Ends with an error that passes when it has changed. */
  async #watch(shards: readonly Shard[], listed: ListedTime, onListed: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { wanted } = listed;
      if (wanted.compare(listed.reached) > 0) {
        const now = await listShards(this.#client, this.#connection.uri, wanted).catch((error: unknown) => {
          this.#logger.debug({ err: error }, 'The list of shards could not be read at the time of the oplogs, reading it again');
          return undefined;
        });
        if (now !== undefined) {
          if (names(now) !== names(shards))
            throw new TailwaterError(errorCodes.SHARDS_CHANGED, { before: names(shards), after: names(now) });
          listed.reached = wanted;
          onListed();
        }
      }
      await this.#pause(signal);
    }
  }
}

/** The cluster time at which the list of shards was read last, and the one at which it is to be read next. */
class ListedTime {
  reached: Position;
  wanted: Position;

  constructor(start: Position) {
    this.reached = start;
    this.wanted = start;
  }
}

/** A shard that has left the cluster may be gone for good: when it fails, the next session finds out whether it is. */
const WITHOUT_PATIENCE: Pick<SourceHealth, 'reader'> = {
  reader: () => ({ failed: (error) => Promise.reject(error), answered: () => {}, close: () => {} }),
};

/** What only a shard knew that has left the cluster, and cannot be read, is a gap of the whole (promise F). */
function throwLost(error: unknown, shard: string, after: Position, signal: AbortSignal): never {
  if (signal.aborted || error instanceof PositionLost) throw error;
  throw PositionLost.fromRemovedShard(shard, after, error);
}

const names = (shards: readonly Shard[]): string => shards.map(({ name }) => name).join(', ');

/**
 * The newest entry of a shard at or before the position: its presence proves that none behind it is missing.
 *
 * @throws TailwaterError TW1106 when the shard's oplog begins behind the position, and has not always begun there
 */
async function entryAtOrBefore(
  client: MongoClient,
  connection: SourceConnection,
  after: Position,
  logger: Logger,
  signal: AbortSignal,
): Promise<Position> {
  let found = await newestUpTo(client, after);
  if (found !== undefined) return found;
  const oldest = await client
    .db('local')
    .collection('oplog.rs')
    .find({}, { sort: { $natural: 1 }, limit: 1 })
    .next();
  const position = toPosition(oldest?.['ts'] as Timestamp);
  // A shard that was added later has no entries from before.
  if (oldest?.['o']?.msg === FIRST_ENTRY) return position;
  const members = new Members(client, connection, logger);
  try {
    await members.find(async (member) => {
      found = await newestUpTo(member, after);
      return found !== undefined;
    }, signal);
  } finally {
    await members.close();
  }
  if (found !== undefined) return found;
  throw await positionLost(client, after);
}

async function newestUpTo(client: MongoClient, { t, i }: Position): Promise<Position | undefined> {
  const oplog = client.db('local').collection('oplog.rs');
  const before = { ts: { $lte: new Timestamp({ t, i }) } };
  const found = await oplog.find(before, { projection: { ts: 1 }, sort: { $natural: -1 }, limit: 1, readConcern: 'majority' }).next();
  return found === null ? undefined : toPosition(found['ts'] as Timestamp);
}

const earliest = (positions: readonly Position[]): Position => positions.reduce((a, b) => (a.compare(b) <= 0 ? a : b));
