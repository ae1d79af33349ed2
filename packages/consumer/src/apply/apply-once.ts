// One attempt at a batch. A request that the target refuses as a whole, for the sake of some document in it, goes again in halves
// until the documents that it refuses stand alone and the rest is applied. So does one at which the target fails again and again.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { ChangeResult, Rejection, Target } from '../targets/target.js';
import { UnencodableChangeError } from '../targets/unencodable.js';
import { applyChanges } from './apply-changes.js';
import type { ApplyHooks, ApplySignals } from './apply-hooks.js';
import type { Delivery, Outcome } from './delivery.js';
import type { AcceptedWrites, Doubtful } from './poison-detector.js';

export interface AttemptContext {
  readonly hooks: ApplyHooks;
  readonly signals: ApplySignals;
  readonly settle: (delivery: Delivery, outcome: Outcome) => void;
  readonly acceptedWrites: Pick<AcceptedWrites, 'record'>;
  /** Present when the target failed at the batch as a whole before: halves tell whether some of it is to blame. */
  readonly isolation?: Isolation | undefined;
}

/** How the halves of an attempt fare. */
export interface Isolation {
  failuresInARow: number;
  reason: string;
}

export interface Attempt {
  /** To be tried again, in order. */
  readonly left: readonly Delivery[];
  /** Of those left: the target failed at each of them alone. */
  readonly doubtful: Doubtful;
  /** The target failed at several as a whole. */
  readonly failedWhole: boolean;
  /** Neither settled nor to be tried again with this batch: where they belong takes nothing at the moment. */
  readonly misplaced: readonly (readonly [Delivery, Rejection])[];
  /** Refused for good, and not settled yet. */
  readonly refused: readonly (readonly [Delivery, Rejection])[];
  /** Why the last of those left was not applied. */
  readonly code: string;
  readonly reason: string;
}

/** The target failed: because it is ill, or because of some document. */
const FAILED = errorCodes.TARGET_FAILED_AT_REQUEST;
/** A batch of the largest size in halves, down to one document, is 17 requests; a target that fails at more in a row fails at all. */
const MAX_FAILURES_IN_A_ROW = 24;

/**
 * Settles what the target accepted.
 *
 * @throws the target's error when no part of the batch is to blame for it
 */
export async function applyOnce(target: Target, batch: readonly Delivery[], context: AttemptContext): Promise<Attempt> {
  const { hooks, signals, isolation } = context;
  // Not sent: what the target fails at by now is everything.
  if (isolation !== undefined && isHopeless(isolation)) return untried(batch, isolation.reason);
  let started = performance.now();
  let results: readonly ChangeResult[];
  try {
    const changes = batch.map((delivery) => delivery.change);
    await hooks.mayApply?.(signals.cut);
    signals.cut.throwIfAborted();
    started = performance.now();
    results = await applyChanges(target, changes, signals.cut);
  } catch (error) {
    // Held back: once the group has confirmed it, the batch is sent, or was given back meanwhile.
    if (error instanceof TailwaterError && error.code === errorCodes.PARTITIONS_IN_DOUBT && !signals.cut.aborted)
      return applyOnce(target, batch, context);
    const reason = error instanceof Error ? error.message : String(error);
    const passes = error instanceof TailwaterError && (error.retriable || error.waitsForOperator);
    const code = passes ? error.code : signals.cut.aborted ? 'aborted' : undefined;
    if (code === FAILED && !signals.cut.aborted) return failed(target, batch, reason, context);
    if (code !== undefined) return { left: batch, doubtful: [], failedWhole: false, misplaced: [], refused: [], code, reason };
    if (!isRefusal(error)) throw error;
    return batch.length > 1 ? inHalves(target, batch, context) : refusedAlone(batch, error);
  }
  const attempt = settleAccepted(batch, results, context);
  if (isolation !== undefined && attempt.left.length < batch.length) isolation.failuresInARow = 0;
  hooks.onRequest({ changes: batch.length, left: attempt.left.length, seconds: (performance.now() - started) / 1000 });
  return attempt;
}

/** Of a whole request, because of a document in it: also what a module of the user's own throws, or answers wrongly. */
function isRefusal(error: unknown): error is UnencodableChangeError | TailwaterError {
  return error instanceof UnencodableChangeError || (error instanceof TailwaterError && error.scope === 'document');
}

async function inHalves(target: Target, batch: readonly Delivery[], context: AttemptContext): Promise<Attempt> {
  const middle = batch.length >> 1;
  const first = await applyOnce(target, batch.slice(0, middle), context);
  const second = await applyOnce(target, batch.slice(middle), context);
  return bothOf(first, second);
}

export function bothOf(first: Attempt, second: Attempt): Attempt {
  const { code, reason } = second.left.length > 0 ? second : first;
  return {
    left: [...first.left, ...second.left],
    doubtful: [...first.doubtful, ...second.doubtful],
    failedWhole: first.failedWhole || second.failedWhole,
    misplaced: [...first.misplaced, ...second.misplaced],
    refused: [...first.refused, ...second.refused],
    code,
    reason,
  };
}

const isHopeless = ({ failuresInARow }: Isolation): boolean => failuresInARow > MAX_FAILURES_IN_A_ROW;

function untried(batch: readonly Delivery[], reason: string): Attempt {
  return { left: batch, doubtful: [], failedWhole: true, misplaced: [], refused: [], code: FAILED, reason };
}

function failed(target: Target, batch: readonly Delivery[], reason: string, context: AttemptContext): Promise<Attempt> | Attempt {
  const { isolation } = context;
  if (isolation !== undefined) Object.assign(isolation, { failuresInARow: isolation.failuresInARow + 1, reason });
  if (batch.length > 1 && isolation !== undefined && !isHopeless(isolation)) return inHalves(target, batch, context);
  const rejection: Rejection = { status: 'rejected', code: FAILED, reason, retriable: true };
  const doubtful = batch.length === 1 ? batch.map((delivery) => [delivery, rejection] as const) : [];
  return { left: batch, doubtful, failedWhole: batch.length > 1, misplaced: [], refused: [], code: FAILED, reason };
}

function refusedAlone(batch: readonly Delivery[], error: UnencodableChangeError | TailwaterError): Attempt {
  const rejection: Rejection = { status: 'rejected', code: error.code, reason: error.message, retriable: false };
  return {
    left: [],
    doubtful: [],
    failedWhole: false,
    misplaced: [],
    refused: batch.map((delivery) => [delivery, rejection]),
    code: '',
    reason: '',
  };
}

function settleAccepted(
  batch: readonly Delivery[],
  results: readonly ChangeResult[],
  { settle, acceptedWrites, hooks }: AttemptContext,
): Attempt {
  const left: Delivery[] = [];
  const doubtful: [Delivery, Rejection][] = [];
  const misplaced: [Delivery, Rejection][] = [];
  const refused: [Delivery, Rejection][] = [];
  let last = { code: '', reason: '' };
  for (const [index, delivery] of batch.entries()) {
    const result = results[index] as ChangeResult;
    if (result.status !== 'rejected') {
      if (delivery.change.kind === 'upsert') hooks.onAccepted?.(delivery.change);
      settle(delivery, result.status);
    } else if (result.scope === 'place' && hooks.onPlaceRefused !== undefined) misplaced.push([delivery, result]);
    else if (result.retriable) {
      left.push(delivery);
      if (result.doubtful === true) doubtful.push([delivery, result]);
      last = result;
    } else refused.push([delivery, result]);
  }
  acceptedWrites.record(batch, (index) => results[index]?.status === 'applied');
  return { left, doubtful, failedWhole: false, misplaced, refused, code: last.code, reason: last.reason };
}
