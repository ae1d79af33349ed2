// What a batch is told: how long it is tried, whom it tells of what, and when it gives up.
import type { Namespace } from '@tailwater/schema';
import type { Change } from '../changes/change.js';
import type { Rejection } from '../targets/target.js';
import type { Delivery, Outcome } from './delivery.js';
import type { Refusal } from './place.js';
import type { AcceptedWrites } from './poison-detector.js';

export interface RetryPolicy {
  /** The first pause, in milliseconds; each one that brings nothing doubles it. */
  readonly minMs: number;
  readonly maxMs: number;
  /** How long, in milliseconds, a batch is tried again while nothing of it gets through. If absent, for ever. */
  readonly giveUpAfterMs?: number | undefined;
  /** How long, in milliseconds, a change at which the target fails is tried at least; see poison-detector.ts. */
  readonly poisonAfterMs?: number | undefined;
}

export interface ApplyHooks {
  /**
   * Says how a change ends that the target refuses for good: `returned` when the signal aborted before that was settled.
   * Throws to stop the process. The place of the dead-letter stage.
   */
  onRejected(delivery: Delivery, rejection: Rejection, signal: AbortSignal): Promise<Outcome> | Outcome;
  /** Tells what the target accepted beside a change that it fails at; when not given, that is this batch's alone. */
  readonly acceptedWrites?: Pick<AcceptedWrites, 'record' | 'hasSince'>;
  /** More changes, to join a batch of which only such changes are left, so that these hold up nothing. */
  readonly more?: () => readonly Delivery[];
  /** The target took an upsert. */
  readonly onAccepted?: (change: Change) => void;
  /** Whether so many refusals of a namespace's documents are too many to be the documents' fault; they are not put aside then. */
  readonly isTooMany?: (namespace: Namespace, refused: number) => boolean;
  /** Takes back what a place refuses, in the order in which it came. Without it such changes are tried again with the batch. */
  readonly onPlaceRefused?: (namespace: Namespace, deliveries: readonly Delivery[], refusal: Refusal) => void;
  /** Resolves when a request may be sent, or the signal aborts: not while others may apply what this process was given. */
  readonly mayApply?: (signal: AbortSignal) => Promise<void>;
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
