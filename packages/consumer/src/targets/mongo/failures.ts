// The driver's failures as coded errors, told apart by class, code and label, never by their text.
import { type ErrorCode, type ErrorParams, isConnectionEnd, srvFailure, TailwaterError, tlsFailure } from '@tailwater/runtime';
import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import type { ChangeResult } from '../target.js';
import { isCodeOfPlace, isRetriableCode, misplaced } from './write-errors.js';

/** AuthenticationFailed; UserNotFound, for the subject of a certificate that is nobody's; and Atlas's own code. */
const AUTHENTICATION_CODES: ReadonlySet<unknown> = new Set([18, 11, 8000]);
const UNAUTHORIZED = 13;

/** The failure of a whole command; an error that is not the driver's stays what it is. */
export function mongoFailure(error: unknown, address: string): unknown {
  const coded = (code: ErrorCode, params: ErrorParams = {}) =>
    new TailwaterError(code, { target: 'MongoDB', address, ...params }, { cause: error });
  if (!(error instanceof MongoError)) return isConnectionEnd(error) ? coded('TW1301') : (srvFailure(error, address) ?? error);
  if (isAuthenticationFailure(error)) return coded('TW1302');
  if (error instanceof MongoServerError) {
    const code = Number(error.code);
    if (isUnauthorized(error)) return coded('TW1303', { operation: 'write' });
    if (isRetriableCode(code) || error.hasErrorLabel('RetryableWriteError'))
      return coded('TW1310', { reason: error.codeName ?? `error ${code}` });
    return coded('TW1313', { reason: error.message });
  }
  const tls = tlsFailure(error);
  if (tls !== undefined) return coded('TW1312', { reason: tls.reason });
  // No connection, or none left in a pool that was cleared for that reason.
  const unreachable =
    error instanceof MongoServerSelectionError || error instanceof MongoNetworkError || error.hasErrorLabel('RetryableWriteError');
  return unreachable ? coded('TW1301') : coded('TW1313', { reason: error.message });
}

/** What a failed command says of the changes in it when it is their collection that is refused; any other failure is thrown. */
export function placeRefusal(failure: unknown): ChangeResult {
  if (failure instanceof TailwaterError) {
    const { code, message, cause } = failure;
    if (code === 'TW1303') return misplaced(code, message);
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
