// Control records: what the producer tells every reader of a partition. Their key begins with a character that no JSON
// text begins with, so it is never a document's; a reader that does not know a kind ignores it.
import { Position } from './position.js';

const KEY_PREFIX = '!tailwater/';

/** `gap`: oplog entries were lost before this point. `drop`: the collection was dropped. Snapshots announce start and end. */
export type ControlKind = 'gap' | 'drop' | 'snapshot-start' | 'snapshot-end';

export interface ControlRecord {
  readonly kind: ControlKind | (string & {});
  readonly position: Position;
  /** Milliseconds since the epoch. */
  readonly wallTimeMs: number;
  /** Figures of the kind, for people and for later releases. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export function isControlKey(key: Uint8Array | string | null | undefined): boolean {
  if (key === null || key === undefined) return false;
  return typeof key === 'string' ? key.startsWith(KEY_PREFIX) : key[0] === 0x21 && Buffer.from(key).toString('utf8').startsWith(KEY_PREFIX);
}

/** The key of a control record: one per kind and source, so that compaction keeps the newest. */
export function controlKey(kind: string, source: string): string {
  return `${KEY_PREFIX}${kind}/${source}`;
}

export function encodeControlRecord(record: ControlRecord): Buffer {
  const { kind, position, wallTimeMs, details } = record;
  return Buffer.from(JSON.stringify({ kind, position: position.toString(), wallTimeMs, details }));
}

/** Reads a control record's value; undefined when it is not one. */
export function decodeControlRecord(value: Buffer): ControlRecord | undefined {
  try {
    const parsed = JSON.parse(value.toString('utf8')) as { kind?: unknown; position?: unknown; wallTimeMs?: unknown; details?: unknown };
    const position = Position.parse(String(parsed.position));
    if (typeof parsed.kind !== 'string' || position === undefined || typeof parsed.wallTimeMs !== 'number') return undefined;
    const details = isObject(parsed.details) ? parsed.details : {};
    return { kind: parsed.kind, position, wallTimeMs: parsed.wallTimeMs, details };
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is ControlRecord['details'] =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
