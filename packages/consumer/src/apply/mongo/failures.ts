// The driver's failures as coded errors, told apart by class, code and label, never by their text.
import { type ErrorCode, type ErrorParams, isConnectionEnd, TailwaterError } from '@tailwater/runtime';
import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { isRetriableCode } from './write-errors.js';

const AUTHENTICATION_FAILED = 18;
const ATLAS_ERROR = 8000; // Atlas's name for refused credentials.
const UNAUTHORIZED = 13;

/** The failure of a whole command; an error that is not the driver's stays what it is. */
export function mongoFailure(error: unknown, address: string): unknown {
  const coded = (code: ErrorCode, params: ErrorParams = {}) =>
    new TailwaterError(code, { target: 'MongoDB', address, ...params }, { cause: error });
  if (!(error instanceof MongoError)) return isConnectionEnd(error) ? coded('TW1301') : error;
  if (isAuthenticationFailure(error)) return coded('TW1302');
  if (error instanceof MongoServerError) {
    const code = Number(error.code);
    if (code === UNAUTHORIZED) return coded('TW1303', { operation: 'write' });
    if (isRetriableCode(code) || error.hasErrorLabel('RetryableWriteError'))
      return coded('TW1310', { reason: error.codeName ?? `error ${code}` });
    return coded('TW1313', { reason: error.message });
  }
  // No connection, or none left in a pool that was cleared for that reason.
  const unreachable =
    error instanceof MongoServerSelectionError || error instanceof MongoNetworkError || error.hasErrorLabel('RetryableWriteError');
  return unreachable ? coded('TW1301') : coded('TW1313', { reason: error.message });
}

/** A server that refuses the credentials is never selected: the refusal is in the description of the servers. */
function isAuthenticationFailure(error: MongoError): boolean {
  const codes = [error.code];
  if (error instanceof MongoServerSelectionError)
    for (const server of error.reason?.servers.values() ?? []) if (server.error instanceof MongoError) codes.push(server.error.code);
  return codes.some((code) => code === AUTHENTICATION_FAILED || code === ATLAS_ERROR);
}
