// The moment that is waited for, as people write it.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import type { Until } from './applied-watch.js';

const ISO_DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/;

/**
 * Reads `now`, a time of the cluster `t:i`, or an ISO date with its time zone: everything before that second.
 *
 * @throws TailwaterError TW1368 for anything else
 */
export function parseUntil(text: string): Until {
  if (text === 'now') return text;
  const position = Position.parse(text);
  if (position !== undefined && position.ordinal === 0) return position;
  const milliseconds = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (!(milliseconds >= 0)) throw new TailwaterError(errorCodes.UNTIL_NOT_UNDERSTOOD, { text: JSON.stringify(text) });
  return new Position(Math.floor(milliseconds / 1000), 0);
}
