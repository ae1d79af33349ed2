// MongoDB's codes of failed writes, which tell them apart; their text never does.
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml

import { TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';
import { maskReason } from '../mask-reason.js';
import type { ChangeResult } from '../target.js';

/** What the server says of a statement that failed. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string;
  readonly keyPattern?: unknown;
  /** Of the index that a duplicate key is one in, unless it is the simple one. */
  readonly collation?: unknown;
}

/** Codes after which the same write can succeed; 11000 is not among them, see {@link isLostUpsertRace}. */
const RETRIABLE = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  46, // LockBusy
  50, // MaxTimeMSExpired
  63, // StaleShardVersion
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern: members are missing
  112, // WriteConflict
  117, // ConflictingOperationInProgress
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  150, // StaleEpoch
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  215, // DatabaseDropPending
  216, // ElectionInProgress
  262, // ExceededTimeLimit
  290, // TransactionExceededLifetimeLimitSeconds
  314, // ObjectIsBusy
  358, // InternalTransactionNotSupported, while the feature version changes
  365, // TemporarilyUnavailable
  384, // ConnectionError
  462, // IngressRequestRateLimitExceeded
  9001, // SocketException
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted: somebody ended the operation
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace: somebody will make room
]);

/** Codes that say nothing of the document: the collection is one that cannot be written to, or not by this user. */
const OF_PLACES = new Set([
  13, // Unauthorized
  20, // IllegalOperation: deletes from a capped collection, system collections
  26, // NamespaceNotFound
  72, // InvalidOptions: single documents of a time series
  73, // InvalidNamespace
  166, // CommandNotSupportedOnView
  10003, // CannotGrowDocumentInCappedNamespace
  12501, // over quota
]);

export const isCodeOfPlace = (code: number): boolean => OF_PLACES.has(code);

export const DUPLICATE_KEY = 11000;

export const isRetriableCode = (code: number): boolean => RETRIABLE.has(code);

/** The indexes that a document, or a chunk of a file, is found by. */
const ID_INDEXES: ReadonlySet<string> = new Set(['_id', 'files_id,n']);
const namesOf = (keyPattern: unknown): string =>
  typeof keyPattern === 'object' && keyPattern !== null ? Object.keys(keyPattern).join() : '';

/** Two upserts of one `_id` at once: the loser finds the document when it tries again. A clash on another unique index stays one. */
function isLostUpsertRace(code: number, keyPattern: unknown): boolean {
  return code === DUPLICATE_KEY && namesOf(keyPattern) === '_id';
}

/** @param namespace where the statement was to write */
export function rejected({ code, errmsg, keyPattern, collation }: WriteError, namespace: Namespace): ChangeResult {
  if (isCodeOfPlace(code)) return misplaced(code, errmsg);
  if (code === DUPLICATE_KEY && collation !== undefined && ID_INDEXES.has(namesOf(keyPattern))) return foldedIds(namespace);
  const retriable = isRetriableCode(code) || isLostUpsertRace(code, keyPattern);
  return { status: 'rejected', code: String(code), reason: maskReason(errmsg ?? `error ${code}`), retriable };
}

/** The place cannot tell ids apart that differ: it waits until it can, and nothing in it is touched. */
export function foldedIds(namespace: Namespace): ChangeResult {
  const { code, message } = new TailwaterError('TW1378', { namespace: formatNamespace(namespace) });
  return misplaced(code, message);
}

/** The collection is refused, not the change. */
export function misplaced(code: number | string, reason = `error ${code}`): ChangeResult {
  return { status: 'rejected', code: String(code), reason, retriable: true, scope: 'place' };
}
