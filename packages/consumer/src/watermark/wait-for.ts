// Waiting for the watermark within a time, for the command line and for HTTP.
import type { AppliedWatch, Awaited } from './applied-watch.js';

/** Up to where everything is applied, by source, or why that was not so in time. */
export type WaitOutcome = { readonly applied: Readonly<Record<string, string>> } | { readonly reason: string };

/** @throws TailwaterError TW1367 when nothing of the namespaces is published; the signal's reason when it aborts */
export async function waitFor(watch: AppliedWatch, awaited: Awaited, seconds: number, signal: AbortSignal): Promise<WaitOutcome> {
  const late = AbortSignal.timeout(seconds * 1000);
  let reason = 'nothing was looked at yet';
  try {
    const applied = await watch.applied(awaited, AbortSignal.any([signal, late]), (waiting) => {
      reason = waiting;
    });
    return { applied: Object.fromEntries([...applied].map(([source, position]) => [source, position.toString()])) };
  } catch (error) {
    if (late.aborted && !signal.aborted) return { reason };
    throw error;
  }
}
