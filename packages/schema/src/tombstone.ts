// A delete: a record without a value, so that compaction removes the key, with its position and origin in headers.
import type { Origin } from './envelope/change-event.js';
import { Position } from './position.js';

const POSITION = 'tw-position';
const ORIGIN = 'tw-origin';
const WALL_TIME = 'tw-wall-time';
const OP = 'tw-op';
const DELETE = 'delete';
const INTEGER = /^-?\d{1,16}$/;
const ORIGINS: readonly string[] = ['tail', 'snapshot', 'sweep', 'refresh'] satisfies Origin[];

/** What a tombstone says beyond its key. */
export interface Tombstone {
  readonly position: Position;
  readonly origin: Origin;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly wallTimeMs: number;
}

/** Record headers as Kafka clients hand them over. */
export type RecordHeaders = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;

/** The headers of a tombstone, readable in any Kafka tool. */
export function tombstoneHeaders(tombstone: Tombstone): Record<string, string> {
  return {
    [OP]: DELETE,
    [POSITION]: tombstone.position.toString(),
    [ORIGIN]: tombstone.origin,
    [WALL_TIME]: String(tombstone.wallTimeMs),
  };
}

/** Reads a tombstone's headers; undefined if they are not: another program wrote the record. */
export function parseTombstone(headers: RecordHeaders | undefined): Tombstone | undefined {
  const position = Position.parse(headerText(headers, POSITION));
  const origin = headerText(headers, ORIGIN);
  const wallTime = headerText(headers, WALL_TIME);
  if (headerText(headers, OP) !== DELETE || position === undefined || !ORIGINS.includes(origin) || !INTEGER.test(wallTime))
    return undefined;
  return { position, origin: origin as Origin, wallTimeMs: Number(wallTime) };
}

function headerText(headers: RecordHeaders | undefined, name: string): string {
  const value = headers?.[name];
  return value === undefined ? '' : String(Array.isArray(value) ? value[0] : value);
}
