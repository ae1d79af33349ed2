// The few calls of the driver that the source makes, answered by the model: of a shard's own server, and of a mongos.
import { type Document, type MongoClient, MongoNetworkError, ReadPreference, Timestamp } from 'mongodb';
import { T } from '#test/unit/producer/support/entries.js';
import type { ModelCluster } from './model-cluster.js';
import { bytesOf, type ModelShard } from './model-shard.js';

export interface ModelServers {
  readonly cluster: ModelCluster;
  /** Resolves when it is the caller's turn. */
  readonly turn: (what: string) => Promise<void>;
  /** How many entries the member lags behind that answers next. */
  readonly lag: () => number;
  /** Entries that one reply holds at most. */
  readonly batchEntries: number;
  /** What becomes of the next read of an oplog. */
  readonly fate: () => 'answer' | 'lostConnection' | 'endedCursor';
}

class ModelSession {
  i = 0;

  advanceOperationTime(time: Timestamp): void {
    this.i = time.getLowBitsUnsigned();
  }

  async endSession(): Promise<void> {}
}

const timestamp = (i: number): Timestamp => new Timestamp({ t: T, i });
const lowOf = (time: Timestamp): number =>
  time.getHighBitsUnsigned() < T ? 0 : time.getHighBitsUnsigned() > T ? Number.POSITIVE_INFINITY : time.getLowBitsUnsigned();

/** Of the shard at this host, directly. */
export function shardClient(servers: ModelServers, uri: string): MongoClient {
  const { cluster, turn, lag } = servers;
  const shard = cluster.all.find(({ host }) => uri.includes(host.slice(host.indexOf('/') + 1))) as ModelShard;
  /** The entries that the member that answers has, of which a majority has all. */
  const visible = (atLeast: number): ModelShard['entries'] => {
    const { entries } = shard;
    const known = entries.findIndex(({ i }) => i >= atLeast);
    return entries.slice(0, Math.max(known < 0 ? entries.length : known + 1, entries.length - lag(), 1));
  };
  const find = (filter: Document, options: Document) => {
    const from = filter['ts']?.$gte === undefined ? 0 : lowOf(filter['ts'].$gte as Timestamp);
    const to = filter['ts']?.$lte === undefined ? Number.POSITIVE_INFINITY : lowOf(filter['ts'].$lte as Timestamp);
    const session = options['session'] as ModelSession | undefined;
    if (options['tailable'] === true) return new ModelCursor(servers, shard, from, visible, options['signal'] as AbortSignal);
    return {
      next: async (): Promise<unknown> => {
        await turn(`read of ${shard.name}`);
        if (shard.isGone) throw new MongoNetworkError('no such host');
        const found = visible(session?.i ?? 0).filter(({ i }) => i >= from && i <= to);
        const entry = options['sort']?.$natural === -1 ? found.at(-1) : found[0];
        if (entry === undefined) return null;
        if (options['raw'] === true) return entry.raw;
        return { ts: timestamp(entry.i), o: entry === shard.entries[0] ? { msg: 'initiating set' } : {} };
      },
    };
  };
  return {
    readPreference: ReadPreference.primary,
    startSession: () => new ModelSession(),
    db: () => ({
      collection: () => ({ find: (filter: Document, options: Document = {}) => find(filter, options) }),
      command: async () => {
        await turn(`hello to ${shard.name}`);
        return { lastWrite: { majorityOpTime: { ts: timestamp(shard.end.i) } } };
      },
    }),
    close: async () => {},
  } as unknown as MongoClient;
}

class ModelCursor {
  readonly #servers: ModelServers;
  readonly #shard: ModelShard;
  readonly #visible: (atLeast: number) => ModelShard['entries'];
  readonly #signal: AbortSignal;
  #next: number;
  #buffered: Buffer[] = [];
  #isEnded = false;
  closed = false;

  constructor(
    servers: ModelServers,
    shard: ModelShard,
    from: number,
    visible: (atLeast: number) => ModelShard['entries'],
    signal: AbortSignal,
  ) {
    this.#servers = servers;
    this.#shard = shard;
    this.#visible = visible;
    this.#signal = signal;
    this.#next = from;
  }

  get id(): { isZero: () => boolean } {
    return { isZero: () => this.#isEnded };
  }

  async tryNext(): Promise<Buffer | null> {
    await this.#servers.turn(`tail of ${this.#shard.name}`);
    this.#signal.throwIfAborted();
    const fate = this.#servers.fate();
    if (fate === 'lostConnection' || this.#shard.isGone) throw new MongoNetworkError('connection reset');
    this.#isEnded = fate === 'endedCursor';
    const entries = this.#visible(this.#next)
      .filter(({ i }) => i >= this.#next)
      .slice(0, this.#servers.batchEntries);
    if (entries.length > 0) this.#next = (entries.at(-1)?.i ?? 0) + 1;
    this.#buffered = entries.map(({ raw }) => raw);
    return this.#buffered.shift() ?? null;
  }

  readBufferedDocuments(): Buffer[] {
    return this.#buffered.splice(0);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Of a mongos: the list of shards, and documents, without orphans. */
export function mongosClient(servers: ModelServers): MongoClient {
  const { cluster, turn } = servers;
  const list = async (notBefore: number): Promise<Document[]> => {
    await turn('list of shards');
    const { listings } = cluster;
    // A config server that lags, but not behind what it is asked to have seen.
    const back = listings.length - 1 - Math.min(servers.lag() % 2, listings.length - 1);
    const isNew = (listings[back + 1]?.at ?? Number.POSITIVE_INFINITY) > notBefore;
    return listings[isNew ? back : listings.length - 1]?.shards.map(({ name, host }) => ({ _id: name, host })) ?? [];
  };
  const collection = (ns: string) => ({
    find: (filter: Document, { session }: { session: ModelSession }) => {
      if (ns === 'config.shards') return { toArray: () => list(session.i) };
      let found: Buffer[] | undefined;
      return {
        hasNext: async () => {
          found ??= await readThrough(
            servers,
            ns,
            (filter['_id'].$in as { value: number }[]).map(({ value }) => value),
            session.i,
          );
          return found.length > 0;
        },
        readBufferedDocuments: () => found?.splice(0) ?? [],
        close: async () => {},
      };
    },
  });
  return {
    withSession: (_options: object, work: (session: ModelSession) => Promise<unknown>) => work(new ModelSession()),
    db: (database: string) => ({
      collection: (name: string) => collection(`${database}.${name}`),
      command: async () => ({ $clusterTime: { clusterTime: timestamp(cluster.clock) } }),
    }),
  } as unknown as MongoClient;
}

/**
 * Each shard answers as of a time of its own, no older than it was asked to have seen: a document that moves by a change of its shard
 * key may be found twice, or not at all (manual: read concern majority is no snapshot).
 */
async function readThrough({ cluster, turn, lag }: ModelServers, ns: string, ids: readonly number[], notBefore: number): Promise<Buffer[]> {
  while (true) {
    const { version, shards } = cluster;
    const found: Buffer[] = [];
    for (const shard of shards) {
      await turn(`documents of ${shard.name}`);
      const at = Math.max(notBefore, shard.routedAt, shard.clock - lag());
      // It waits for what is prepared and undecided at its time.
      while ([...shard.prepared].some(({ i, operations }) => i <= at && operations.some((operation) => operation.ns === ns)))
        await turn(`prepared in ${shard.name}`);
      for (const document of shard.physicalAt(ns, at).values())
        if (ids.includes(document.id) && cluster.isOwned(ns, shard, document)) found.push(bytesOf(document));
    }
    if (cluster.version === version) return found;
  }
}
