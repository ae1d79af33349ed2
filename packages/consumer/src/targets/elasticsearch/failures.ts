// The client's failures as coded errors, told apart by class, status and error type, never by their text.
import { errors } from '@elastic/elasticsearch';
import { type ErrorCode, type ErrorParams, errorCodes, TailwaterError } from '@tailwater/runtime';
import { maskReason } from '../mask-reason.js';
import type { Rejection } from '../target.js';

/** Whether a delete of one document was answered as one of a document that is not there, or whose index is not. */
export function isNotFound(error: unknown): boolean {
  if (!(error instanceof errors.ResponseError) || error.statusCode !== 404) return false;
  return (error.body as { result?: unknown } | null | undefined)?.result === 'not_found' || errorType(error.body) !== undefined;
}

/** A body that is larger than the server reads: http.max_content_length. */
export const TOO_LARGE = 413;

/** The server's own fault, perhaps because of what it was sent. */
export const FAILED = 500;

const BAD_REQUEST = 400;

/** Whether trying again can help: too many requests, or the server's own trouble. */
function isRetriableStatus(status: number): boolean {
  return status === 429 || status === 408 || status >= 500;
}

/** The status of a refused request; undefined when there was no response. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof errors.ResponseError ? error.statusCode : undefined;
}

/** What a refused request was told; undefined when there was no response. */
export function refusalOf(error: unknown): { readonly type: string | undefined; readonly reason: string } | undefined {
  if (!(error instanceof errors.ResponseError)) return undefined;
  const { error: body } = (error.body ?? {}) as { error?: { type?: unknown; reason?: unknown } };
  return { type: errorType(error.body), reason: maskReason(String(body?.reason ?? `status ${error.statusCode}`)) };
}

/** The failure of a whole request; an error that is not the client's stays what it is. */
export function elasticsearchFailure(error: unknown, address: string): unknown {
  const coded = (code: ErrorCode, params: ErrorParams = {}) =>
    new TailwaterError(code, { target: 'Elasticsearch', address, ...params }, { cause: error });
  const { ConnectionError, ElasticsearchClientError, NoLivingConnectionsError, ResponseError, TimeoutError } = errors;
  if (error instanceof ResponseError) return refusal(error, coded);
  if (error instanceof ConnectionError || error instanceof TimeoutError || error instanceof NoLivingConnectionsError)
    return coded(errorCodes.TARGET_UNREACHABLE);
  return error instanceof ElasticsearchClientError ? coded(errorCodes.UNEXPECTED_TARGET_ANSWER, { reason: error.message }) : error;
}

/** The failure of a request with changes: of what Elasticsearch itself did not say, no change is to blame. */
export function applyFailure(error: unknown, address: string): unknown {
  const failure = elasticsearchFailure(error, address);
  if (!(failure instanceof TailwaterError) || failure.code !== errorCodes.UNEXPECTED_TARGET_ANSWER) return failure;
  // Only this is Elasticsearch's word on a request: it does not understand it, perhaps for the sake of one document.
  if (statusOf(error) === BAD_REQUEST && errorType((error as errors.ResponseError).body) !== undefined) return failure;
  return notItsOwn(address, statusOf(error) === undefined ? failure.message : `status ${statusOf(error)}`, error);
}

/** An answer that is a proxy's, or another server's. */
export const notItsOwn = (address: string, reason: string, cause?: unknown): TailwaterError =>
  new TailwaterError(errorCodes.FOREIGN_ANSWER, { target: 'Elasticsearch', address, reason }, { cause });

/** The failure of a request about one index, as the refusal of a place; a failure of the whole target is thrown. */
export function placeRefusal(error: unknown, address: string): Rejection {
  const failure = error instanceof TailwaterError ? error : applyFailure(error, address);
  const refusal = refusalOf(error);
  if (failure instanceof TailwaterError && failure.scope === 'target') throw failure;
  if (refusal === undefined && !(failure instanceof TailwaterError)) throw failure;
  const code = refusal?.type ?? (failure as TailwaterError).code;
  return { status: 'rejected', code, reason: refusal?.reason ?? (failure as TailwaterError).message, retriable: true, scope: 'place' };
}

function refusal(error: errors.ResponseError, coded: (code: ErrorCode, params?: ErrorParams) => TailwaterError): TailwaterError {
  const status = error.statusCode ?? 0;
  const type = errorType(error.body) ?? `status ${status}`;
  if (status === 401) return coded(errorCodes.TARGET_CREDENTIALS_REFUSED);
  if (status === 429) return coded(errorCodes.TARGET_OVERLOADED);
  if (status === FAILED && type !== 'cluster_block_exception')
    return coded(errorCodes.TARGET_FAILED_AT_REQUEST, { reason: `status ${status}, ${type}` });
  if (isRetriableStatus(status) || type === 'cluster_block_exception') return coded(errorCodes.TARGET_READ_ONLY, { reason: type });
  if (status === 403) return coded(errorCodes.TARGET_ACCESS_DENIED, { operation: 'write' });
  return coded(errorCodes.UNEXPECTED_TARGET_ANSWER, { reason: type });
}

/** `error.type` of an Elasticsearch error body; a proxy's has none. */
function errorType(body: unknown): string | undefined {
  const error = (body as { error?: { type?: unknown } } | null | undefined)?.error;
  return typeof error?.type === 'string' ? error.type : undefined;
}
