// MongoDB's codes of failed writes, which tell them apart; their text never does.
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml

import type { ChangeResult } from '../target.js';

/** What the server says of a statement that failed. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string;
  readonly keyPattern?: unknown;
}

/** Codes after which the same write can succeed; 11000 is not among them, see {@link isLostUpsertRace}. */
const RETRIABLE = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  50, // MaxTimeMSExpired
  63, // StaleShardVersion
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern: members are missing
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  150, // StaleEpoch
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
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
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace: somebody will make room
]);

export const DUPLICATE_KEY = 11000;

export const isRetriableCode = (code: number): boolean => RETRIABLE.has(code);

/** Two upserts of one `_id` at once: the loser finds the document when it tries again. A clash on another unique index stays one. */
function isLostUpsertRace(code: number, keyPattern: unknown): boolean {
  return code === DUPLICATE_KEY && typeof keyPattern === 'object' && keyPattern !== null && Object.keys(keyPattern).join() === '_id';
}

export function rejected({ code, errmsg, keyPattern }: WriteError): ChangeResult {
  const retriable = isRetriableCode(code) || isLostUpsertRace(code, keyPattern);
  return { status: 'rejected', code: String(code), reason: errmsg ?? `error ${code}`, retriable };
}
