// `GET /applied?after=<t:i>&namespace=<db.collection>&timeout=<seconds>`: an application that has written to MongoDB waits until its write can be read from the target.
import { compileNamespaceRules, errorCodes, type StatusRoute, TailwaterError } from '@tailwater/runtime';
import type { AppliedWatch } from '../watermark/applied-watch.js';
import { includesName } from '../watermark/names.js';
import { parseUntil } from '../watermark/until.js';
import { waitFor } from '../watermark/wait-for.js';

const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 300;

/** 200 when it is applied, 504 when that takes longer than the time given. */
export function appliedRoute(group: string, watch: AppliedWatch): StatusRoute {
  return {
    path: '/applied',
    async handle(query, signal) {
      const text = query.get('after') ?? 'now';
      const namespaces = query.getAll('namespace');
      const awaited = { until: parseUntil(text), namespaces, includes: includesName(compileNamespaceRules({ include: namespaces })) };
      const outcome = await waitFor(watch, awaited, secondsOf(query.get('timeout')), signal);
      const isApplied = 'applied' in outcome;
      return { code: isApplied ? 200 : 504, body: { group, after: text, isApplied, ...outcome } };
    },
  };
}

/** @throws TailwaterError TW1369 */
function secondsOf(text: string | null): number {
  if (text === null) return DEFAULT_SECONDS;
  const seconds = /^\d{1,3}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= MAX_SECONDS))
    throw new TailwaterError(errorCodes.TIMEOUT_NOT_UNDERSTOOD, { text: JSON.stringify(text), max: MAX_SECONDS });
  return seconds;
}
