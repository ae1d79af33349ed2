// One batch until every change of it has ended: retriable failures are tried again, with exponential backoff and jitter, in the
// order in which they came; what the target refuses for good goes to the rejection handler (promise E). Changes whose place is refused
// leave the batch, so that they hold up nothing.
import { errorCodes, sleep, TailwaterError } from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import pRetry from 'p-retry';
import type { Rejection, Target } from '../targets/target.js';
import type { ApplyHooks, ApplySignals, RetryPolicy } from './apply-hooks.js';
import { BatchAttempts } from './batch-attempts.js';
import type { Delivery } from './delivery.js';
import type { Refusal } from './place.js';

type Refused = readonly (readonly [Delivery, Rejection])[];

/** Thrown to try again, and never seen outside this file. */
class TryAgain extends Error {}

/**
 * Settles every delivery, or gives it back to the caller: `returned` when a signal aborted before the target had accepted it.
 *
 * @returns how many have ended
 * @throws TailwaterError when the target failed for good, or the rejection handler threw
 */
export async function applyBatch(
  target: Target,
  batch: readonly Delivery[],
  policy: RetryPolicy,
  hooks: ApplyHooks,
  signals: ApplySignals,
): Promise<number> {
  const attempts = new BatchAttempts(target, batch, hooks, signals, policy.poisonAfterMs);
  const { pending } = attempts;
  let progressed = false;
  let failingSinceMs: number | undefined;
  const attempt = async (attemptNumber: number): Promise<void> => {
    const { left, refused, misplaced, code, reason } = await attempts.next();
    progressed = attempts.progressed;
    giveBack(misplaced, 'place', attempts, hooks);
    const { few, many } = apart(refused, hooks);
    giveBack(many, 'documents', attempts, hooks);
    // What the target accepted is settled by now, so it is committed even if a refusal stops the process.
    await settleRefused(few, attempts, hooks, signals);
    if (left.length === 0) return;
    hooks.onRetry({ code, reason, changes: left.length, attempt: attemptNumber });
    failingSinceMs = progressed ? undefined : (failingSinceMs ?? performance.now());
    const failingMs = performance.now() - (failingSinceMs ?? Number.POSITIVE_INFINITY);
    if (failingMs >= (policy.giveUpAfterMs ?? Number.POSITIVE_INFINITY)) {
      throw new TailwaterError(errorCodes.TARGET_REFUSED_TOO_LONG, {
        target: target.kind,
        seconds: Math.round(failingMs / 1000),
        reason: `${code} ${reason}`,
      });
    }
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
  return attempts.ended;
}

/** Refusals that are some documents' fault, and those of namespaces of which nearly everything is refused. */
function apart(refused: Refused, { isTooMany, onPlaceRefused }: ApplyHooks): { readonly few: Refused; readonly many: Refused } {
  if (refused.length === 0 || isTooMany === undefined || onPlaceRefused === undefined) return { few: refused, many: [] };
  const few: Refused[] = [];
  const many: Refused[] = [];
  for (const [namespace, ofNamespace] of byNamespace(refused)) (isTooMany(namespace, ofNamespace.length) ? many : few).push(ofNamespace);
  return { few: few.flat(), many: many.flat() };
}

function giveBack(refused: Refused, of: Refusal['of'], attempts: BatchAttempts, { onPlaceRefused }: ApplyHooks): void {
  for (const [namespace, ofNamespace] of byNamespace(refused)) {
    const [, { code, reason }] = ofNamespace.at(-1) as Refused[number];
    const deliveries = ofNamespace.map(([delivery]) => delivery);
    attempts.giveBack(deliveries);
    onPlaceRefused?.(namespace, deliveries, { code, reason, of });
  }
}

function byNamespace(refused: Refused): Map<Namespace, (readonly [Delivery, Rejection])[]> {
  const groups = new Map<Namespace, (readonly [Delivery, Rejection])[]>();
  for (const each of refused) {
    const { namespace } = each[0].change;
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [each]);
    else group.push(each);
  }
  return groups;
}

/** All at once: a slow dead-letter topic delays a batch, not each change of it. */
async function settleRefused(refused: Refused, attempts: BatchAttempts, hooks: ApplyHooks, signals: ApplySignals): Promise<void> {
  const ends = refused.map(async ([delivery, rejection]) =>
    attempts.settle(delivery, await hooks.onRejected(delivery, rejection, signals.cut)),
  );
  const failed = (await Promise.allSettled(ends)).find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
