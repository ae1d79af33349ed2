// What a producer remembers between runs, as records of the compacted topic `<prefix>.checkpoints`. They travel in the
// transaction of the events that they cover, so neither is ever there without the other (promise A).
import { checkpointKey, Position } from '@tailwater/schema';
import type { RecordedTopic } from '../publish/recorded-topic.js';
import { resumeTokenOf, StreamPosition } from '../source/change-stream/stream-position.js';
import type { ListedShard } from '../source/mongo/shards.js';

const VERSION = 1;
/** Progress of snapshots has ranges; in version 1 it had `lastId`, the end of the only one. */
const SNAPSHOT_VERSION = 2;

/** A stretch of a collection's `_id`s that is not copied yet. Each bound is the base64 of the BSON document `{_id}`. */
export interface SnapshotRange {
  /** The first `_id` that may be in it; null: it begins with the collection. */
  readonly from: string | null;
  /** The `_id` that its last chunk ended with, behind which it goes on; null before its first chunk. */
  readonly lastId: string | null;
  /** The first `_id` that is no longer in it; null: it ends with the collection. */
  readonly to: string | null;
}

/** How far the snapshot of one collection has come. */
export interface SnapshotProgress {
  readonly state: 'running' | 'done';
  /** What is left of the collection; null while it has not been divided yet. */
  readonly ranges: readonly SnapshotRange[] | null;
  readonly documents: number;
  /** Documents that the collection was estimated to have when the snapshot began. */
  readonly total: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  /** This copy was requested while the producer ran: it goes on whatever the next start is told to copy. */
  readonly isAsked?: boolean;
}

/**
 * Why a sweep was asked for: `vanished` is a topic whose collection was not there when a producer started, `replaced` one whose name another topic took,
 * `left-out` that of a namespace that is not included for a time.
 */
export type SweepReason = 'drop' | 'rename' | 'gap' | 'vanished' | 'replaced' | 'left-out' | 'reconcile';

/** The newest sweep of a namespace. One that is done is remembered, so that no start repeats that of a collection that is gone. */
export interface SweepRecord {
  readonly state: 'pending' | 'done';
  readonly reason: SweepReason;
  readonly requestedAtMs: number;
  readonly finishedAtMs: number | null;
  /** How many documents the source no longer had. */
  readonly tombstones: number;
}

/** A stretch of the oplog that was gone before it was read. */
export interface GapRecord {
  /** The checkpoint that was lost, the oldest entry that was there instead where that is known, and where the tail went on, as texts of positions. */
  readonly from: string;
  readonly oldest: string | null;
  readonly to: string;
  readonly detectedAtMs: number;
  /** When every collection was copied and swept again. */
  readonly healedAtMs: number | null;
}

/** What is paused, until it is resumed. */
export interface Paused {
  /** Copies of collections. */
  readonly snapshots: boolean;
  readonly tail: boolean;
}

export const NOTHING_PAUSED: Paused = { snapshots: false, tail: false };

/** Everything a producer resumes from. */
export interface Checkpoint {
  /** Every entry at or before it is published; undefined before the first start. */
  readonly position: Position | undefined;
  /** When the position was written, in milliseconds since the epoch. */
  readonly writtenAtMs: number;
  /** By namespace. */
  readonly snapshots: ReadonlyMap<string, SnapshotProgress>;
  /** By namespace. */
  readonly sweeps: ReadonlyMap<string, SweepRecord>;
  /** By namespace. */
  readonly topics: ReadonlyMap<string, RecordedTopic>;
  /** The newest gap, healed or not. */
  readonly gap: GapRecord | undefined;
  /** Which cluster all of this was read from; undefined where that could not be told. */
  readonly cluster: string | undefined;
  /** Another source has checkpoints in the same topic: not every topic of the prefix is this one's. */
  readonly isShared: boolean;
  /** The offset behind the last signal that was executed. */
  readonly signals: bigint;
  /** The id of the topic that the offset is one of; undefined where brokers do not tell, and in records of earlier releases. */
  readonly signalsTopic: string | undefined;
  readonly paused: Paused;
  /** The shards that the position counts on, where the oplogs of a cluster are read. */
  readonly shards: readonly ListedShard[];
}

export interface CheckpointMessage {
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly partition: 0;
}

const message = (key: string, value: object | null, version = VERSION): CheckpointMessage => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(JSON.stringify({ version, ...value })),
  partition: 0,
});

/** The position, and the resume token of one that came from a change stream: a record has it or not, as its source has. */
export const positionMessage = (source: string, position: Position, writtenAtMs: number): CheckpointMessage => {
  const resumeToken = resumeTokenOf(position)?.toString('base64');
  return message(checkpointKey(source, 'position'), {
    position: position.toString(),
    ...(resumeToken === undefined ? {} : { resumeToken }),
    writtenAtMs,
  });
};

/** The progress of a collection's snapshot; null forgets it, as when the collection was dropped. */
export const snapshotMessage = (source: string, namespace: string, progress: SnapshotProgress | null): CheckpointMessage =>
  message(checkpointKey(source, 'snapshot', namespace), progress, SNAPSHOT_VERSION);

/** A sweep that was asked for, which no crash must forget, or one that is done. */
export const sweepMessage = (source: string, namespace: string, sweep: SweepRecord): CheckpointMessage =>
  message(checkpointKey(source, 'sweep', namespace), sweep);

export const pendingSweep = (reason: SweepReason): SweepRecord => ({
  state: 'pending',
  reason,
  requestedAtMs: Date.now(),
  finishedAtMs: null,
  tombstones: 0,
});

/** The topic that a namespace's records go to from now on, in the transaction of the first that do. */
export const topicMessage = (source: string, namespace: string, { partitions, id }: RecordedTopic): CheckpointMessage =>
  message(checkpointKey(source, 'partitions', namespace), { partitions, ...(id === undefined ? {} : { topicId: id }) });

export const gapMessage = (source: string, gap: GapRecord): CheckpointMessage => message(checkpointKey(source, 'gap'), gap);

/** The cluster that the source is, by the id that MongoDB gave it. */
export const clusterMessage = (source: string, id: string): CheckpointMessage => message(checkpointKey(source, 'cluster'), { id });

/** The offset behind a signal that was executed, and in which topic: in another one of its name it means nothing. */
export const signalsMessage = (source: string, offset: bigint, topicId: string | undefined): CheckpointMessage =>
  message(checkpointKey(source, 'signals'), { offset: offset.toString(), ...(topicId === undefined ? {} : { topicId }) });

export const pausedMessage = (source: string, paused: Paused): CheckpointMessage => message(checkpointKey(source, 'paused'), paused);

export const shardsMessage = (source: string, shards: readonly ListedShard[]): CheckpointMessage =>
  message(checkpointKey(source, 'shards'), { shards });

/** Announces a producer's start: it fences those before, and marks the end of what a reader has to read. */
export const sessionMessage = (source: string, session: string): CheckpointMessage =>
  message(checkpointKey(source, 'session'), { session });

/** The session that the record announces, if it announces one of the source. */
export function sessionOf(source: string, key: string, value: Buffer | null): string | undefined {
  return key === checkpointKey(source, 'session') && value !== null ? String(parse(value, VERSION)['session']) : undefined;
}

/** Where reading may begin: every record of the source is repeated at or behind `from`. */
export interface BaseRecord {
  readonly from: bigint;
  /** Another source has records before it. */
  readonly isShared: boolean;
}

export const baseMessage = (source: string, { from, isShared }: BaseRecord): CheckpointMessage =>
  message(checkpointKey(source, 'base'), { from: from.toString(), isShared });

/** What a majority of the members holds, and how many records this session has published so far. */
export interface CommitTime {
  /** Newer than the record before it, as the source had it: read after that one was committed. */
  readonly committed: Position;
  /** Everything at or before this entry is published; undefined while a transaction is read. */
  readonly passed: Position | undefined;
  readonly writtenAtMs: number;
  /** Names the session. */
  readonly session: string;
  /** Records of every topic that the session handed to Kafka before this one. */
  readonly published: number;
}

export const timeMessage = (source: string, { committed, passed, ...rest }: CommitTime): CheckpointMessage =>
  message(checkpointKey(source, 'time'), { committed: committed.toString(), passed: passed?.toString(), ...rest });

/** The offset at which the source's checkpoint may be read from, if the record says so. */
export function beginningOf(source: string, key: string, value: Buffer | null): bigint | undefined {
  return key === checkpointKey(source, 'base') && value !== null ? BigInt(String(parse(value, VERSION)['from'])) : undefined;
}

/** Whether a base repeats records of this key: what it consists of, and not what only marks a place. */
export const isRepeated = (source: string, key: string): boolean =>
  key.startsWith(`${source}/`) && !(['session', 'base', 'time'] as const).some((kind) => key === checkpointKey(source, kind));

export const isOfAnother = (source: string, key: string, value: Buffer | null): boolean =>
  !key.startsWith(`${source}/`) && key.includes('/') && value !== null;

/** Gathers the records of one source, as they are read from the topic's beginning or from a base. */
export class CheckpointReader {
  readonly #source: string;
  readonly #own: string | undefined;
  #position: Position | undefined;
  #writtenAtMs = 0;
  readonly #snapshots = new Map<string, SnapshotProgress>();
  readonly #sweeps = new Map<string, SweepRecord>();
  readonly #topics = new Map<string, RecordedTopic>();
  #gap: GapRecord | undefined;
  #cluster: string | undefined;
  #signals = 0n;
  #signalsTopic: string | undefined;
  #paused = NOTHING_PAUSED;
  #shards: readonly ListedShard[] = [];
  #isShared = false;

  /** @param session - where given, `add` answers true at that session's announcement: everything before it was read */
  constructor(source: string, session?: string) {
    this.#source = source;
    this.#own = session;
  }

  /**
   * Takes the next record.
   *
   * @throws Error for a record that this version does not understand: to start from nowhere instead would hide a gap (promise F)
   */
  add(key: string, value: Buffer | null): boolean {
    if (!key.startsWith(`${this.#source}/`)) {
      this.#isShared ||= isOfAnother(this.#source, key, value);
      return false;
    }
    const snapshotPrefix = checkpointKey(this.#source, 'snapshot', '');
    const parsed = value === null ? undefined : parse(value, key.startsWith(snapshotPrefix) ? SNAPSHOT_VERSION : VERSION);
    if (key === checkpointKey(this.#source, 'position')) {
      this.#position = parsed === undefined ? undefined : positionOf(parsed);
      this.#writtenAtMs = Number(parsed?.['writtenAtMs'] ?? 0);
    } else if (key === checkpointKey(this.#source, 'gap')) {
      this.#gap = parsed as unknown as GapRecord | undefined;
    } else if (key === checkpointKey(this.#source, 'cluster')) {
      this.#cluster = parsed === undefined ? undefined : String(parsed['id']);
    } else if (key === checkpointKey(this.#source, 'base')) {
      this.#isShared ||= parsed?.['isShared'] === true;
    } else if (key === checkpointKey(this.#source, 'signals')) {
      this.#signals = BigInt(String(parsed?.['offset'] ?? 0));
      this.#signalsTopic = parsed && idOf(parsed);
    } else if (key === checkpointKey(this.#source, 'paused')) {
      this.#paused = { snapshots: parsed?.['snapshots'] === true, tail: parsed?.['tail'] === true };
    } else if (key === checkpointKey(this.#source, 'shards')) {
      this.#shards = (parsed?.['shards'] ?? []) as ListedShard[];
    }
    if (key.startsWith(snapshotPrefix)) collect(this.#snapshots, snapshotPrefix, key, parsed && progressOf(parsed));
    collect(this.#sweeps, checkpointKey(this.#source, 'sweep', ''), key, parsed as unknown as SweepRecord | undefined);
    collect(this.#topics, checkpointKey(this.#source, 'partitions', ''), key, parsed && topicOf(parsed));
    return key === checkpointKey(this.#source, 'session') && this.#own !== undefined && parsed?.['session'] === this.#own;
  }

  result(): Checkpoint {
    return {
      position: this.#position,
      writtenAtMs: this.#writtenAtMs,
      snapshots: this.#snapshots,
      sweeps: this.#sweeps,
      topics: this.#topics,
      gap: this.#gap,
      cluster: this.#cluster,
      isShared: this.#isShared,
      signals: this.#signals,
      signalsTopic: this.#signalsTopic,
      paused: this.#paused,
      shards: this.#shards,
    };
  }
}

/** Notes what a record says of a namespace, if its key is `prefix` and the namespace's name. */
function collect<T>(records: Map<string, T>, prefix: string, key: string, value: T | undefined): void {
  if (!key.startsWith(prefix)) return;
  const namespace = key.slice(prefix.length);
  if (value === undefined) records.delete(namespace);
  else records.set(namespace, value);
}

function parse(value: Buffer, newest: number): Record<string, unknown> {
  const parsed: unknown = JSON.parse(value.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is no JSON object');
  const fields = parsed as Record<string, unknown>;
  const version = Number(fields['version']);
  if (!(version >= VERSION && version <= newest))
    throw new TypeError(`its version is ${String(fields['version'])}, this release reads ${newest}`);
  return fields;
}

function progressOf({ version, lastId, ...fields }: Record<string, unknown>): SnapshotProgress {
  if (version === SNAPSHOT_VERSION) return fields as unknown as SnapshotProgress;
  const ranges = fields['state'] === 'done' ? [] : [{ from: null, lastId: lastId as string | null, to: null }];
  return { ...(fields as unknown as SnapshotProgress), ranges };
}

const topicOf = (fields: Record<string, unknown>): RecordedTopic => ({ partitions: Number(fields['partitions']), id: idOf(fields) });

function idOf({ topicId }: Record<string, unknown>): string | undefined {
  return typeof topicId === 'string' ? topicId : undefined;
}

function positionOf(fields: Record<string, unknown>): Position {
  const position = Position.parse(String(fields['position']));
  if (position === undefined) throw new TypeError(`its position is ${String(fields['position'])}`);
  const resumeToken = fields['resumeToken'];
  if (typeof resumeToken !== 'string') return position;
  return new StreamPosition(position.t, position.i, position.ordinal, Buffer.from(resumeToken, 'base64'));
}
