// Where a raw change event stands, from its resume token and its cluster time.
import { BsonCursor, BsonType } from '@tailwater/schema';
import { readToken, type TokenPlace } from './resume-token.js';
import { StreamPosition } from './stream-position.js';

const ID = Buffer.from('_id');
const CLUSTER_TIME = Buffer.from('clusterTime');
const SPLIT_EVENT = Buffer.from('splitEvent');

const event = new BsonCursor();
const inner = new BsonCursor();

/** The resume token of an event, as the BSON document that its `_id` is. */
function eventToken(source: Buffer): Buffer {
  event.enter(source, 0);
  while (event.next()) if (event.type === BsonType.object && event.isNamed(ID)) return source.subarray(event.valueStart, event.valueEnd);
  throw new TypeError('A change event has no resume token');
}

/** The place of an event. Where its token is of an unknown form, its ordinal is 0. */
export function eventPlace(source: Buffer): TokenPlace {
  const known = readToken(eventToken(source));
  if (known !== undefined) return known;
  event.enter(source, 0);
  while (event.next()) {
    if (event.type !== BsonType.timestamp || !event.isNamed(CLUSTER_TIME)) continue;
    return { t: source.readUInt32LE(event.valueStart + 4), i: source.readUInt32LE(event.valueStart), isEvent: true, ordinal: 0 };
  }
  throw new TypeError('A change event has no cluster time');
}

/** The position behind an event: others of the same entry may follow it. */
export function positionBehind(source: Buffer): StreamPosition {
  const { t, i, ordinal } = eventPlace(source);
  return new StreamPosition(t, i, ordinal + 1, eventToken(source));
}

/** `splitEvent` of a fragment; undefined for a whole event. */
export function fragmentOf(source: Buffer): { readonly fragment: number; readonly of: number } | undefined {
  event.enter(source, 0);
  while (event.next()) {
    if (event.type !== BsonType.object || !event.isNamed(SPLIT_EVENT)) continue;
    const numbers: Record<string, number> = {};
    inner.enter(source, event.valueStart);
    while (inner.next()) if (inner.type === BsonType.int32) numbers[inner.name()] = source.readInt32LE(inner.valueStart);
    return { fragment: numbers['fragment'] ?? 0, of: numbers['of'] ?? 0 };
  }
  return undefined;
}
