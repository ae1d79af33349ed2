// Which MongoDB errors pass by themselves, and which need a person. By label, class and code, never by text:
// https://github.com/mongodb/specifications/blob/master/source/retryable-reads/retryable-reads.md
import {
  errorCodes,
  isConnectionEnd,
  isLabelledPassing,
  isServerGone,
  LASTING_CODES,
  memberFailure,
  PASSING_CODES,
  srvFailure,
  TailwaterError,
  tlsFailure,
} from '@tailwater/runtime';
import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';

const UNAUTHORIZED = 13;
/** AuthenticationFailed, and UserNotFound: a certificate's subject without a user. */
const AUTHENTICATION_CODES: ReadonlySet<unknown> = new Set([18, 11]);
const INVALID_OPTIONS = 72;

/** The member's clock is still before the position that it was asked to wait for: it will get there, or another one will be read. */
export const isBeforePosition = (error: unknown): boolean => error instanceof MongoServerError && error.code === INVALID_OPTIONS;

/** A server's answer that no table knows counts as passing: to end for it would be final, to ask again is not. */
export function isRetriableMongoError(error: unknown): boolean {
  if (isBeforePosition(error) || isConnectionEnd(error)) return true;
  if (!(error instanceof MongoError)) return false;
  if (isLabelledPassing(error)) return true;
  return error instanceof MongoServerError ? !LASTING_CODES.has(Number(error.code)) : isServerGone(error);
}

/** Whether the server refuses this very request and is not known to take it later: for requests that one can do without. */
export const isMongoRefusal = (error: unknown): boolean => error instanceof MongoServerError && !isKnownToPass(error);

const isKnownToPass = (error: MongoServerError): boolean =>
  isBeforePosition(error) || PASSING_CODES.has(Number(error.code)) || isLabelledPassing(error);

/** The coded error for what went wrong at the server that `address` names, or the error itself if it has no code. */
export function toMongoError(error: unknown, address: string): unknown {
  if (error instanceof MongoServerSelectionError) return selectionFailure(error, address);
  if (isAuthenticationFailure(error)) return new TailwaterError(errorCodes.MONGODB_CREDENTIALS_REFUSED, { address }, { cause: error });
  if (isUnauthorized(error)) return new TailwaterError(errorCodes.MONGODB_ACCESS_DENIED, { address }, { cause: error });
  if (error instanceof MongoServerError) {
    return new TailwaterError(errorCodes.MONGODB_ERROR, { address, name: error.codeName ?? `code ${error.code}` }, { cause: error });
  }
  if (error instanceof MongoNetworkError || isConnectionEnd(error))
    return new TailwaterError(errorCodes.MONGODB_UNREACHABLE, { address }, { cause: error });
  return srvFailure(error, address) ?? error;
}

/** Why no server was taken: which ones there are, and what each was, is in the error. */
function selectionFailure(error: MongoServerSelectionError, address: string): TailwaterError {
  const cause = { cause: error };
  const reason = rootCause(error);
  if (isAuthenticationFailure(reason)) return new TailwaterError(errorCodes.MONGODB_CREDENTIALS_REFUSED, { address }, cause);
  const tls = tlsFailure(error);
  if (tls !== undefined) return new TailwaterError(errorCodes.MONGODB_TLS_FAILED, { address, reason: tls.reason }, cause);
  return memberFailure(error, address) ?? new TailwaterError(errorCodes.MONGODB_UNREACHABLE, { address }, cause);
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
