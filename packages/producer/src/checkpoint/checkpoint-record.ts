// What a producer remembers between runs, as records of the compacted topic `<prefix>.checkpoints`. They travel in the
// transaction of the events that they cover, so neither is ever there without the other (promise A).
import { Position } from '@tailwater/schema';

const VERSION = 1;

/** How far the snapshot of one collection has come. */
export interface SnapshotProgress {
  readonly state: 'running' | 'done';
  /** The `_id` that the last chunk ended with, as the base64 of the BSON document `{_id}`; null before the first chunk. */
  readonly lastId: string | null;
  readonly documents: number;
  /** Documents that the collection was estimated to have when the snapshot began. */
  readonly total: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
}

/** Everything a producer resumes from. */
export interface Checkpoint {
  /** Every entry at or before it is published; undefined before the first start. */
  readonly position: Position | undefined;
  /** When the position was written, in milliseconds since the epoch. */
  readonly writtenAtMs: number;
  /** By namespace. */
  readonly snapshots: ReadonlyMap<string, SnapshotProgress>;
  /** The producer's session that was announced last. */
  readonly session: string | undefined;
}

export interface CheckpointMessage {
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly partition: 0;
}

const POSITION_KEY = (source: string): string => `${source}/position`;
const SNAPSHOT_KEY = (source: string, namespace: string): string => `${source}/snapshot/${namespace}`;
const SESSION_KEY = (source: string): string => `${source}/session`;

const message = (key: string, value: object | null): CheckpointMessage => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(JSON.stringify({ version: VERSION, ...value })),
  partition: 0,
});

export const positionMessage = (source: string, position: Position, writtenAtMs: number): CheckpointMessage =>
  message(POSITION_KEY(source), { position: position.toString(), writtenAtMs });

/** The progress of a collection's snapshot; null forgets it, as when the collection was dropped. */
export const snapshotMessage = (source: string, namespace: string, progress: SnapshotProgress | null): CheckpointMessage =>
  message(SNAPSHOT_KEY(source, namespace), progress);

/** Announces a producer's start: it fences those before, and marks the end of what a reader has to read. */
export const sessionMessage = (source: string, session: string): CheckpointMessage => message(SESSION_KEY(source), { session });

/** Gathers the records of one source, as they are read from the topic's beginning. */
export class CheckpointReader {
  readonly #source: string;
  readonly #own: string | undefined;
  #session: string | undefined;
  #position: Position | undefined;
  #writtenAtMs = 0;
  readonly #snapshots = new Map<string, SnapshotProgress>();

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
    if (!key.startsWith(`${this.#source}/`)) return false;
    const parsed = value === null ? undefined : parse(value);
    const prefix = SNAPSHOT_KEY(this.#source, '');
    if (key === POSITION_KEY(this.#source)) {
      this.#position = parsed === undefined ? undefined : positionOf(parsed);
      this.#writtenAtMs = Number(parsed?.['writtenAtMs'] ?? 0);
    } else if (key.startsWith(prefix)) {
      const namespace = key.slice(prefix.length);
      if (parsed === undefined) this.#snapshots.delete(namespace);
      else this.#snapshots.set(namespace, parsed as unknown as SnapshotProgress);
    }
    if (key !== SESSION_KEY(this.#source)) return false;
    this.#session = parsed === undefined ? undefined : String(parsed['session']);
    return this.#own !== undefined && this.#session === this.#own;
  }

  result(): Checkpoint {
    return { position: this.#position, writtenAtMs: this.#writtenAtMs, snapshots: this.#snapshots, session: this.#session };
  }
}

function parse(value: Buffer): Record<string, unknown> {
  const parsed: unknown = JSON.parse(value.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is no JSON object');
  const fields = parsed as Record<string, unknown>;
  if (fields['version'] !== VERSION) throw new TypeError(`its version is ${String(fields['version'])}, this release reads ${VERSION}`);
  return fields;
}

function positionOf(fields: Record<string, unknown>): Position {
  const position = Position.parse(String(fields['position']));
  if (position === undefined) throw new TypeError(`its position is ${String(fields['position'])}`);
  return position;
}
