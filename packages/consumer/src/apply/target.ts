// What a target is: three methods. Everything about batching, order, retries and commits stays outside.
import type { Change } from '../change.js';

/**
 * What became of one change:
 * - `applied`: the target holds the change, or already held something that makes it moot (a delete of what is not there);
 * - `superseded`: the target holds a newer version;
 * - `rejected`: the target holds what it held before; `retriable` says whether trying again can help.
 */
export type ChangeResult =
  | { readonly status: 'applied' }
  | { readonly status: 'superseded' }
  | { readonly status: 'rejected'; readonly code: string; readonly reason: string; readonly retriable: boolean };

export type Rejection = Extract<ChangeResult, { status: 'rejected' }>;

export const APPLIED: ChangeResult = { status: 'applied' };
export const SUPERSEDED: ChangeResult = { status: 'superseded' };

/**
 * Maintained invariants, by the caller: a key (namespace and record key) occurs once in a batch, and never in two batches
 * at once; the changes of a key come in order, except that any number of them may come again from an earlier one on
 * (promise D). By the target: the results are as many as the changes and in their order; applying again is harmless.
 */
export interface Target {
  /** Names the target in logs, errors and metrics: `es`, `mongo`. */
  readonly kind: string;
  /** Whether it refuses a change that is older than what it holds. Default false: order alone keeps old states away then. */
  readonly comparesVersions?: boolean;
  /** What the target calls a namespace; two namespaces must not share a name. Throws TailwaterError when it can have none. */
  nameOf(namespace: Change['namespace']): string;
  /** Resolves when the target answers and lets this process in; throws TailwaterError after a bounded wait. */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Applies a batch.
   *
   * @throws TailwaterError when the request as a whole failed: its `retriable` says whether to try the whole batch again
   */
  applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]>;
  close(): Promise<void>;
}
