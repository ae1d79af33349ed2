// What a target is: four methods. Everything about batching, order, retries and commits stays outside. This interface is public:
// docs/06-own-targets.md tells how to write one, test/contract/target holds what every target must do.
import type { TlsMaterial, User } from '@tailwater/runtime';
import type { Change } from '../changes/change.js';
import type { Inventory } from './inventory.js';

/** The version of {@link Target}. It grows when a target that was written for the one before would not do any more. */
export const TARGET_API_VERSION = 1;

/**
 * What became of one change:
 * - `applied`: the target holds the change, or already held something that makes it moot (a delete of what is not there);
 * - `superseded`: the target holds a newer version;
 * - `rejected`: the target holds what it held before; `retriable` says whether trying again can help, `doubtful` that the target itself
 *   failed at this very change, which may be the change's fault. When that is true of a whole request, it fails with TW1390. `scope: 'place'`
 *   says that it is not the change that is refused but where it belongs, such as a closed index: it is tried again for as long as it
 *   takes, and changes of other namespaces do not wait for it.
 */
export type ChangeResult =
  | { readonly status: 'applied' }
  | { readonly status: 'superseded' }
  | {
      readonly status: 'rejected';
      readonly code: string;
      readonly reason: string;
      readonly retriable: boolean;
      readonly doubtful?: boolean;
      readonly scope?: 'place';
    };

export type Rejection = Extract<ChangeResult, { status: 'rejected' }>;

export const APPLIED: ChangeResult = { status: 'applied' };
export const SUPERSEDED: ChangeResult = { status: 'superseded' };

/**
 * Maintained invariants, by the caller: a key (namespace and record key) occurs once in a batch, and never in two batches
 * at once; the changes of a key come in order, except that any number of them may come again from an earlier one on
 * (promise D). By the target: the results are as many as the changes and in their order; applying again is harmless.
 */
export interface Target {
  readonly apiVersion: typeof TARGET_API_VERSION;
  /** Names the target in logs, errors and metrics: `es`, `mongo`. */
  readonly kind: string;
  /** Whether it refuses a change that is older than what it holds. Default false: order alone keeps old states away then. */
  readonly comparesVersions?: boolean;
  /** What the target calls a namespace; two namespaces must not share a name. Throws TailwaterError when it can have none. */
  nameOf(namespace: Change['namespace']): string;
  /** Resolves when the target answers and lets this process in; throws TailwaterError after a bounded wait. */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the target answers at all; asked every two seconds for `/readyz`, with a signal that aborts after three. Without it the target
   * counts as one that answers until a batch fails.
   *
   * @throws Error whose message says why it does not
   */
  ping?(signal: AbortSignal): Promise<void>;
  /**
   * Applies a batch.
   *
   * @throws TailwaterError when the request as a whole failed: its `retriable` says whether to try the whole batch again
   */
  applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]>;
  /**
   * Tells how to ask whether what was read may still be applied: right before a request with changes goes out, after everything that takes time. False after
   * the process was frozen and others have taken over; the request must not go out then, and `applyBatch` fails with a retriable error (TW1365). Only a target that compares no
   * versions needs it: an old change would take the place of a newer one.
   */
  guard?(mayApply: () => boolean): void;
  /**
   * Whether the target accepts, where this change belongs (its shard), a write that changes no document. Called before a `doubtful`
   * change goes to the dead letters. If absent, the target counts as healthy.
   */
  acceptsProbeWrite?(change: Change, signal: AbortSignal): Promise<boolean>;
  /**
   * What it holds of a namespace of its own, for `consumer repair`.
   *
   * @throws TailwaterError TW1391 when that cannot be told from what others have put there
   */
  inventory?(namespace: Change['namespace'], signal: AbortSignal): Promise<Inventory>;
  /** Frees what the target holds. Called once, also when `connect` failed; no batch is under way then. */
  close(): Promise<void>;
  /** Numbers that the target cannot say (NaN, infinite), left out so far. */
  readonly droppedValues?: number;
  /** Values that the target has no place for, left out so far. */
  readonly droppedFields?: number;
  /** Names of some of those. */
  readonly droppedFieldNames?: readonly string[];
}

/** What a module that is a target is given: the options of the command line. */
export interface TargetOptions {
  /** --target-url */
  readonly url: string;
  /** How long, in milliseconds, `connect` may try to reach the target. */
  readonly connectTimeoutMs: number;
  /** --request-timeout, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** --target-option, by name. */
  readonly options: Readonly<Record<string, string>>;
  /** --target-user and --target-password. */
  readonly user?: User;
  /** PEM texts of the files that --target-tls-ca, --target-tls-cert and --target-tls-key name, as `tls.connect` takes them. */
  readonly tls?: TlsMaterial;
}

/** What such a module exports, as `createTarget` or as its default. */
export type CreateTarget = (options: TargetOptions) => Target | Promise<Target>;
