// Keeps the watermark of a group up to date, and lets others wait for it.
import { errorCodes, Notifier, type Service, sleep, TailwaterError } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { CheckpointFollower } from './checkpoint-follower.js';
import type { GroupWatermark } from './group-watermark.js';
import type { PublishedState } from './published-state.js';

/** Between two looks while nobody waits, in milliseconds; where a look takes long, so many times as long as it took: 2 % of the time. */
const INTERVAL_MS = 1_000;
const SHARE = 50;
/** While somebody waits: no sooner, since several things change at once, and no later. */
const URGENT_MIN_MS = 10;
const URGENT_MAX_MS = 25;
/** A producer tells every second how far its source is committed; after so long without, it does not run. */
const SILENT_MS = 5_000;

/** A moment in the cluster’s time, or the commit point at the moment at which it is asked for. */
export type Until = Position | 'now';

/** What is waited for. */
export interface Awaited {
  readonly until: Until;
  /** The namespaces, of those that the group reads. */
  readonly includes: (namespace: string) => boolean;
  /** As they were asked for; without any, all. */
  readonly namespaces?: readonly string[];
}

/** How far a namespace is applied. */
export interface NamespaceWatermark {
  readonly namespace: string;
  readonly source: string;
  /** Everything up to it is applied; null while that is not known. */
  readonly applied: string | null;
  /** From there to the newest commit of the source, in seconds; null while that is not known. */
  readonly lagSeconds: number | null;
  /** Why it is not all that it should be. */
  readonly unfinished: string | null;
}

const notApplied = (namespace: string, applied: Position | undefined, until: Position): string =>
  `${namespace} is not applied up to ${until}${applied === undefined ? '' : `, only up to ${applied}`}`;

export interface AppliedWatchParts {
  readonly prefix: string;
  readonly state: PublishedState;
  readonly follower: Pick<CheckpointFollower, 'changed' | 'reason' | 'run'>;
  readonly watermark: GroupWatermark;
  /** The offset behind the last record of the checkpoint topic, committed or not. */
  readonly checkpointEnd: (signal: AbortSignal) => Promise<bigint>;
  /** Commits what this process has applied: called before each look while somebody waits. */
  readonly commit: () => Promise<void>;
  /** Frees what looking holds. */
  readonly close: () => void;
}

export class AppliedWatch implements Service {
  readonly #parts: AppliedWatchParts;
  readonly #looked = new Notifier();
  readonly #wanted = new Notifier();
  #waiters = 0;
  #failure: string | undefined;

  constructor(parts: AppliedWatchParts) {
    this.#parts = parts;
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#parts.follower.run(signal), this.#look(signal)]);
    this.#parts.close();
  }

  /** Of each namespace that the group reads, and each of its sources. */
  get watermarks(): NamespaceWatermark[] {
    const { state, watermark, follower } = this.#parts;
    const isKnown = follower.reason === undefined;
    return watermark.namespaces.flatMap((namespace) =>
      state.sourcesOf(namespace).map((source) => {
        const applied = watermark.applied(namespace, source);
        const unfinished = state.unfinished(namespace) ?? null;
        return {
          namespace,
          source,
          applied: applied?.toString() ?? null,
          lagSeconds: isKnown ? (this.#lagSeconds(source, applied) ?? null) : null,
          unfinished,
        };
      }),
    );
  }

  /** Of the whole group: from what is applied of every namespace to the newest commit, in seconds. */
  get lagSeconds(): number | undefined {
    const lags = this.watermarks.map(({ lagSeconds }) => lagSeconds);
    if (lags.length === 0 || lags.includes(null)) return undefined;
    return Math.max(...(lags as number[]));
  }

  /** What keeps the watermark from being known; undefined when nothing does. */
  get reason(): string | undefined {
    return this.#parts.follower.reason ?? this.#failure;
  }

  /**
   * Resolves when everything up to the moment is applied, with up to where that is, by source; rejects with the signal's reason when it aborts.
   *
   * @throws TailwaterError TW1367 when nothing of the namespaces is published
   * @param onWaiting is told what is waited for, each time that was looked at
   */
  async applied(
    awaited: Awaited,
    signal: AbortSignal,
    onWaiting: (reason: string) => void = () => undefined,
  ): Promise<ReadonlyMap<string, Position>> {
    this.#waiters += 1;
    this.#wanted.notify();
    try {
      const until = awaited.until === 'now' ? await this.#commitPoints(awaited, signal, onWaiting) : undefined;
      for (;;) {
        const missing = this.#missing(awaited, (source) => until?.get(source) ?? (awaited.until as Position));
        if (missing === undefined) return this.#least(awaited);
        onWaiting(missing);
        await this.#looked.next(signal);
        signal.throwIfAborted();
      }
    } finally {
      this.#waiters -= 1;
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { watermark, follower, commit } = this.#parts;
    while (!signal.aborted) {
      const beganAtMs = performance.now();
      const isUrgent = this.#waiters > 0;
      try {
        if (isUrgent) await commit();
        await watermark.look(isUrgent);
        this.#failure = undefined;
      } catch (error) {
        this.#failure = `Kafka does not tell where the group stands: ${error instanceof Error ? error.message : String(error)}`;
      }
      this.#looked.notify();
      const tookMs = performance.now() - beganAtMs;
      if (this.#waiters > 0) {
        await sleep(URGENT_MIN_MS, signal);
        await follower.changed.next(signal, URGENT_MAX_MS);
      } else await this.#wanted.next(signal, Math.max(INTERVAL_MS, tookMs * SHARE));
    }
  }

  /**
   * The commit point of each source, as of now or later. A record that was written after now may tell of a moment before; the one after it was asked for once that
   * record was committed.
   */
  async #commitPoints(awaited: Awaited, signal: AbortSignal, onWaiting: (reason: string) => void): Promise<ReadonlyMap<string, Position>> {
    const { state, follower, checkpointEnd } = this.#parts;
    const end = await checkpointEnd(signal);
    const points = new Map<string, Position>();
    for (;;) {
      for (const [name, { times }] of state.sources) {
        const [, second] = times.filter(({ offset }) => offset >= end);
        if (second !== undefined && !points.has(name)) points.set(name, second.committed);
      }
      const silent = [...this.#sourcesOf(awaited)].filter((name) => !points.has(name));
      if (follower.reason === undefined && silent.length === 0 && points.size > 0) return points;
      onWaiting(follower.reason ?? `no producer has said yet how far ${silent.join(', ') || 'the source'} is committed`);
      await follower.changed.next(signal);
      signal.throwIfAborted();
    }
  }

  /** The first thing that is not applied, in words. */
  #missing(awaited: Awaited, until: (source: string) => Position): string | undefined {
    const { state, watermark } = this.#parts;
    if (this.reason !== undefined) return this.reason;
    const namespaces = watermark.namespaces.filter(awaited.includes);
    const sources = this.#sourcesOf(awaited);
    if (sources.size === 0) return 'no producer has published anything with this prefix';
    for (const name of sources) {
      const covered = state.sources.get(name)?.covered;
      if (covered === undefined || covered.compare(until(name)) < 0)
        return `${name} is published up to ${covered ?? 'nowhere'}, not yet to ${until(name)}`;
    }
    for (const namespace of namespaces) {
      for (const name of state.sourcesOf(namespace)) {
        const applied = watermark.applied(namespace, name);
        if (applied !== undefined && applied.compare(until(name)) >= 0) continue;
        return state.unfinished(namespace) ?? notApplied(namespace, applied, until(name));
      }
    }
    // What was published before is known by now.
    if (namespaces.length === 0 && (awaited.namespaces ?? []).length > 0) throw this.#nothing(awaited);
    return undefined;
  }

  #nothing({ until, namespaces = [] }: Awaited): TailwaterError {
    const { prefix } = this.#parts;
    return new TailwaterError(errorCodes.NOTHING_TO_WAIT_FOR, { until: String(until), prefix, namespaces: namespaces.join(', ') });
  }

  /** Those of the namespaces; where these have no topic yet, of all: one of them may be about to publish them. */
  #sourcesOf({ includes }: Awaited): ReadonlySet<string> {
    const { state, watermark } = this.#parts;
    const ofNamespaces = watermark.namespaces.filter(includes).flatMap((namespace) => state.sourcesOf(namespace));
    return new Set(ofNamespaces.length > 0 ? ofNamespaces : state.sources.keys());
  }

  /** Up to where all of them are applied, by source. */
  #least(awaited: Awaited): ReadonlyMap<string, Position> {
    const { state, watermark } = this.#parts;
    const namespaces = watermark.namespaces.filter(awaited.includes);
    const least = new Map<string, Position>();
    for (const namespace of namespaces) {
      for (const source of state.sourcesOf(namespace)) {
        const applied = watermark.applied(namespace, source) as Position;
        const known = least.get(source);
        if (known === undefined || applied.compare(known) < 0) least.set(source, applied);
      }
    }
    if (least.size > 0) return least;
    return new Map([...state.sources].flatMap(([name, { covered }]) => (covered === undefined ? [] : [[name, covered] as const])));
  }

  #lagSeconds(source: string, applied: Position | undefined): number | undefined {
    const { committed, writtenAtMs } = this.#parts.state.sources.get(source) ?? {};
    if (committed === undefined || writtenAtMs === undefined || applied === undefined) return undefined;
    const silentMs = Date.now() - writtenAtMs;
    const stale = silentMs > SILENT_MS ? silentMs / 1000 : 0;
    return applied.compare(committed) >= 0 ? Math.round(stale) : Math.round(Math.max(0, committed.t - applied.t) + stale);
  }
}
