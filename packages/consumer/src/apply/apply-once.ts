// One attempt at a batch. A request that the target refuses as a whole, for the sake of some document in it, goes again in halves
// until the documents that it refuses stand alone and the rest is applied.
import { TailwaterError } from '@tailwater/runtime';
import { InvalidBsonError } from '@tailwater/schema';
import type { ApplyHooks, ApplySignals } from './apply-batch.js';
import { applyChanges } from './apply-changes.js';
import type { Delivery, Outcome } from './delivery.js';
import type { ChangeResult, Rejection, Target } from './target.js';

export interface AttemptContext {
  readonly hooks: ApplyHooks;
  readonly signals: ApplySignals;
  readonly settle: (delivery: Delivery, outcome: Outcome) => void;
}

export interface Attempt {
  /** To be tried again, in order. */
  readonly left: readonly Delivery[];
  /** Refused for good, and not settled yet. */
  readonly refused: readonly (readonly [Delivery, Rejection])[];
  /** Why the last of those left was not applied. */
  readonly code: string;
  readonly reason: string;
}

/** Not the credentials, the name of an index, or TLS: these no document is to blame for. */
const REFUSALS: ReadonlySet<string> = new Set(['TW1309', 'TW1313']);

/**
 * Settles what the target accepted.
 *
 * @throws the target's error when no part of the batch is to blame for it
 */
export async function applyOnce(target: Target, batch: readonly Delivery[], context: AttemptContext): Promise<Attempt> {
  const { hooks, signals } = context;
  const started = performance.now();
  let results: readonly ChangeResult[];
  try {
    const changes = batch.map((delivery) => delivery.change);
    results = await applyChanges(target, changes, signals.cut);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof TailwaterError && error.retriable ? error.code : signals.cut.aborted ? 'aborted' : undefined;
    if (code !== undefined) return { left: batch, refused: [], code, reason };
    if (!isRefusal(error)) throw error;
    return batch.length > 1 ? inHalves(target, batch, context) : refusedAlone(batch, error, hooks);
  }
  const attempt = settleAccepted(batch, results, context);
  hooks.onRequest({ changes: batch.length, left: attempt.left.length, seconds: (performance.now() - started) / 1000 });
  return attempt;
}

function isRefusal(error: unknown): error is Error {
  return error instanceof InvalidBsonError || (error instanceof TailwaterError && REFUSALS.has(error.code));
}

async function inHalves(target: Target, batch: readonly Delivery[], context: AttemptContext): Promise<Attempt> {
  const middle = batch.length >> 1;
  const first = await applyOnce(target, batch.slice(0, middle), context);
  const second = await applyOnce(target, batch.slice(middle), context);
  const { code, reason } = second.left.length > 0 ? second : first;
  return { left: [...first.left, ...second.left], refused: [...first.refused, ...second.refused], code, reason };
}

function refusedAlone(batch: readonly Delivery[], error: Error, hooks: ApplyHooks): Attempt {
  hooks.onRefusedWhole(error);
  const code = error instanceof TailwaterError ? error.code : error.name;
  const rejection: Rejection = { status: 'rejected', code, reason: error.message, retriable: false };
  return { left: [], refused: batch.map((delivery) => [delivery, rejection]), code: '', reason: '' };
}

function settleAccepted(batch: readonly Delivery[], results: readonly ChangeResult[], { settle }: AttemptContext): Attempt {
  const left: Delivery[] = [];
  const refused: [Delivery, Rejection][] = [];
  let last = { code: '', reason: '' };
  for (const [index, delivery] of batch.entries()) {
    const result = results[index] as ChangeResult;
    if (result.status !== 'rejected') settle(delivery, result.status);
    else if (result.retriable) {
      left.push(delivery);
      last = result;
    } else refused.push([delivery, result]);
  }
  return { left, refused, code: last.code, reason: last.reason };
}
