// Which MongoDB errors pass by themselves, and which need a person. By code, never by text:
// https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
import { isConnectionEnd, TailwaterError, tlsFailure } from '@tailwater/runtime';
import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';

const UNAUTHORIZED = 13;
/** AuthenticationFailed, and UserNotFound: the subject of a certificate that is nobody's. */
const AUTHENTICATION_CODES: ReadonlySet<unknown> = new Set([18, 11]);
const INVALID_OPTIONS = 72;

/** CappedPositionLost, CursorNotFound, QueryPlanKilled, SnapshotTooOld and their kind: another read succeeds. */
const RETRIABLE_CODES = new Set([
  6, 7, 43, 50, 63, 64, 89, 91, 112, 134, 136, 133, 150, 175, 189, 234, 237, 239, 246, 262, 290, 317, 384, 9001, 10_107, 11_600, 11_602,
  13_388, 13_435, 13_436,
]);

/** The member's clock is still before the position that it was asked to wait for: it will get there, or another one will be read. */
export const isBeforePosition = (error: unknown): boolean => error instanceof MongoServerError && error.code === INVALID_OPTIONS;

export function isRetriableMongoError(error: unknown): boolean {
  if (isBeforePosition(error)) return true;
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError || isConnectionEnd(error)) return true;
  if (error instanceof MongoServerError) {
    return (
      RETRIABLE_CODES.has(Number(error.code)) ||
      error.hasErrorLabel('RetryableWriteError') ||
      error.hasErrorLabel('TransientTransactionError')
    );
  }
  // The driver's own errors for a pool or a topology that a failover closed under a running command.
  return error instanceof MongoError && error.hasErrorLabel('ResetPool');
}

/** The coded error for what went wrong at the server that `address` names, or the error itself when there is none. */
export function toMongoError(error: unknown, address: string): unknown {
  if (error instanceof MongoServerSelectionError) {
    const reason = rootCause(error);
    if (isAuthenticationFailure(reason)) return new TailwaterError('TW1102', { address }, { cause: error });
    const tls = tlsFailure(error);
    if (tls !== undefined) return new TailwaterError('TW1111', { address, reason: tls.reason }, { cause: error });
    return new TailwaterError('TW1101', { address }, { cause: error });
  }
  if (isAuthenticationFailure(error)) return new TailwaterError('TW1102', { address }, { cause: error });
  if (error instanceof MongoNetworkError) return new TailwaterError('TW1101', { address }, { cause: error });
  return error;
}

export const isUnauthorized = (error: unknown): boolean => error instanceof MongoServerError && error.code === UNAUTHORIZED;

function isAuthenticationFailure(error: unknown): boolean {
  return error instanceof MongoServerError && AUTHENTICATION_CODES.has(error.code);
}

function rootCause(error: Error): unknown {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause;
}
