// The driver's failures as coded errors, told apart by class, code and label, never by their text.
import {
  type ErrorCode,
  type ErrorParams,
  errorCodes,
  isConnectionEnd,
  isLabelledPassing,
  isMissingFile,
  isServerGone,
  memberFailure,
  redactError,
  srvFailure,
  TailwaterError,
  tlsFailure,
} from '@tailwater/runtime';
import { MongoError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { maskReason } from '../mask-reason.js';
import type { ChangeResult } from '../target.js';
import { isCodeOfDocument, isCodeOfPlace, isPassingCode, misplaced } from './write-errors.js';

/** AuthenticationFailed; UserNotFound, for a certificate's subject without a user; and Atlas's own code. */
const AUTHENTICATION_CODES: ReadonlySet<unknown> = new Set([18, 11, 8000]);
const UNAUTHORIZED = 13;

/** The failure of a whole command; an error that is not the driver's stays what it is. */
export function mongoFailure(error: unknown, address: string): unknown {
  const coded = (code: ErrorCode, params: ErrorParams = {}) =>
    new TailwaterError(code, { target: 'MongoDB', address, ...params }, { cause: error });
  if (!(error instanceof MongoError))
    return isConnectionEnd(error) ? coded(errorCodes.TARGET_UNREACHABLE) : (srvFailure(error, address) ?? error);
  if (isAuthenticationFailure(error)) return coded(errorCodes.TARGET_CREDENTIALS_REFUSED);
  if (error instanceof MongoServerError) {
    if (isUnauthorized(error)) return coded(errorCodes.TARGET_ACCESS_DENIED, { operation: 'write' });
    return coded(...refusalOf(error));
  }
  const tls = tlsFailure(error);
  if (tls !== undefined) return coded(errorCodes.TARGET_TLS_FAILED, { reason: tls.reason });
  // No connection, or none left in a pool that was cleared for that reason.
  return isServerGone(error) || isLabelledPassing(error)
    ? coded(errorCodes.TARGET_UNREACHABLE)
    : coded(errorCodes.UNEXPECTED_TARGET_ANSWER, { reason: error.message });
}

/** Why the first connection fails: what is left without a code then came from no server, and the URL asks for what there is not. */
export function connectFailure(error: unknown, address: string, url: string): unknown {
  const failure = mongoFailure(error, address);
  const code = failure instanceof TailwaterError ? failure.code : undefined;
  if (error instanceof MongoServerSelectionError && code === errorCodes.TARGET_UNREACHABLE) return memberFailure(error, address) ?? failure;
  const isOfUrl = isMissingFile(error) || (code === errorCodes.UNEXPECTED_TARGET_ANSWER && !(error instanceof MongoServerError));
  return isOfUrl ? new TailwaterError(errorCodes.MALFORMED_TARGET_URL, { address }, { cause: redactError(error, url) }) : failure;
}

/**
 * A document is to blame where the server says so. A code that is neither known to pass nor one of documents, such as an unknown write
 * concern or one of a later release, counts as the server's failure: a document that causes it is found by evidence only.
 */
function refusalOf(error: MongoServerError): [ErrorCode, ErrorParams] {
  const code = Number(error.code);
  const name = error.codeName ?? `error ${code}`;
  if (isPassingCode(code) || isLabelledPassing(error)) return [errorCodes.TARGET_READ_ONLY, { reason: name }];
  return isCodeOfDocument(code) || isCodeOfPlace(code)
    ? [errorCodes.UNEXPECTED_TARGET_ANSWER, { reason: maskReason(error.message) }]
    : [errorCodes.TARGET_FAILED_AT_REQUEST, { reason: name }];
}

/** What a failed command says of the changes in it when it is their collection that is refused; any other failure is thrown. */
export function placeRefusal(failure: unknown): ChangeResult {
  if (failure instanceof TailwaterError) {
    const { code, message, cause } = failure;
    if (code === errorCodes.TARGET_ACCESS_DENIED) return misplaced(code, message);
    if (cause instanceof MongoServerError && isCodeOfPlace(Number(cause.code))) return misplaced(Number(cause.code), cause.message);
  }
  throw failure;
}

export const isUnauthorized = (error: unknown): boolean => error instanceof MongoServerError && error.code === UNAUTHORIZED;

/** A server that refuses the credentials is never selected: the refusal is in the description of the servers. */
function isAuthenticationFailure(error: MongoError): boolean {
  const codes = [error.code];
  if (error instanceof MongoServerSelectionError)
    for (const server of error.reason?.servers.values() ?? []) if (server.error instanceof MongoError) codes.push(server.error.code);
  return codes.some((code) => AUTHENTICATION_CODES.has(code));
}
