// One batch until every change of it has ended: retriable failures are tried again for ever, with exponential backoff and
// jitter, in the order in which they came; what the target refuses for good goes to the rejection handler (promise E).
import { sleep, TailwaterError } from '@tailwater/runtime';
import pRetry from 'p-retry';
import type { Change } from '../change.js';
import type { Delivery, Outcome } from './delivery.js';
import type { ChangeResult, Target } from './target.js';

type Rejection = Extract<ChangeResult, { status: 'rejected' }>;

export interface RetryPolicy {
  /** The first pause, in milliseconds; each one that brings nothing doubles it. */
  readonly minMs: number;
  readonly maxMs: number;
}

export interface ApplyHooks {
  /** Says how a change ends that the target refuses for good; throws to stop the process. The place of the dead-letter stage. */
  onRejected(change: Change, rejection: Rejection): Promise<Outcome> | Outcome;
  /** Some or all of a batch failed and will be tried again. */
  onRetry(failure: { readonly code: string; readonly reason: string; readonly changes: number; readonly attempt: number }): void;
  /** A request was answered: how many changes it carried, how many of them have to be tried again, and how long it took. */
  onRequest(request: { readonly changes: number; readonly left: number; readonly seconds: number }): void;
}

export interface ApplySignals {
  /** Aborts the pauses between attempts. */
  readonly giveUp: AbortSignal;
  /** Aborts a request in flight. */
  readonly cut: AbortSignal;
}

/** Thrown to try again, and never seen outside this file. */
class TryAgain extends Error {}

/**
 * Settles every delivery: `returned` when a signal aborted before the target had accepted it.
 *
 * @throws TailwaterError when the target failed for good, or the rejection handler threw
 */
export async function applyBatch(
  target: Target,
  batch: readonly Delivery[],
  policy: RetryPolicy,
  hooks: ApplyHooks,
  signals: ApplySignals,
): Promise<void> {
  let pending = batch;
  let progressed = false;
  const attempt = async (attemptNumber: number): Promise<void> => {
    const { left, refused, code, reason } = await applyOnce(target, pending, hooks, signals);
    progressed = left.length < pending.length;
    pending = [...left, ...refused.map(([delivery]) => delivery)];
    // What the target accepted is settled by now, so it is committed even if a refusal stops the process.
    for (const [delivery, rejection] of refused) {
      delivery.settle(await hooks.onRejected(delivery.change, rejection));
      pending = pending.filter((each) => each !== delivery);
    }
    if (left.length === 0) return;
    hooks.onRetry({ code, reason, changes: left.length, attempt: attemptNumber });
    throw new TryAgain(reason);
  };
  try {
    await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: policy.minMs,
      maxTimeout: policy.maxMs,
      randomize: true,
      signal: signals.giveUp,
      shouldRetry: ({ error }) => error instanceof TryAgain,
      // An attempt that got something through costs the shortest pause and does not lengthen the next one.
      onFailedAttempt: () => (progressed ? sleep(policy.minMs, signals.giveUp) : undefined),
      shouldConsumeRetry: () => !progressed,
    });
  } catch (error) {
    for (const delivery of pending) delivery.settle('returned');
    if (!signals.giveUp.aborted) throw error;
  }
}

interface Attempt {
  /** To be tried again, in order. */
  readonly left: readonly Delivery[];
  readonly refused: readonly (readonly [Delivery, Rejection])[];
  /** Why the last of those left was not applied. */
  readonly code: string;
  readonly reason: string;
}

async function applyOnce(target: Target, batch: readonly Delivery[], hooks: ApplyHooks, signals: ApplySignals): Promise<Attempt> {
  const started = performance.now();
  let results: readonly ChangeResult[];
  try {
    const changes = batch.map((delivery) => delivery.change);
    results = await target.applyBatch(changes, signals.cut);
  } catch (error) {
    const code = error instanceof TailwaterError && error.retriable ? error.code : signals.cut.aborted ? 'aborted' : undefined;
    if (code === undefined) throw error;
    return { left: batch, refused: [], code, reason: error instanceof Error ? error.message : String(error) };
  }
  const attempt = settle(batch, results);
  hooks.onRequest({ changes: batch.length, left: attempt.left.length, seconds: (performance.now() - started) / 1000 });
  return attempt;
}

function settle(batch: readonly Delivery[], results: readonly ChangeResult[]): Attempt {
  const left: Delivery[] = [];
  const refused: [Delivery, Rejection][] = [];
  let last = { code: '', reason: '' };
  for (const [index, delivery] of batch.entries()) {
    const result = results[index] as ChangeResult;
    if (result.status !== 'rejected') delivery.settle(result.status);
    else if (result.retriable) {
      left.push(delivery);
      last = result;
    } else refused.push([delivery, result]);
  }
  return { left, refused, code: last.code, reason: last.reason };
}
