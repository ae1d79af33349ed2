// The client's failures as coded errors, told apart by class, status and error type, never by their text.
import { errors } from '@elastic/elasticsearch';
import { type ErrorCode, type ErrorParams, TailwaterError } from '@tailwater/runtime';

/** A body that is larger than the server reads: http.max_content_length. */
export const TOO_LARGE = 413;

/** The server's own fault, perhaps because of what it was sent. */
export const FAILED = 500;

/** Whether trying again can help: too many requests, or the server's own trouble. */
export function isRetriableStatus(status: number): boolean {
  return status === 429 || status === 408 || status >= 500;
}

/** The status of a refused request; undefined when there was no response. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof errors.ResponseError ? error.statusCode : undefined;
}

/** What a refused request was told; undefined when there was no response. */
export function refusalOf(error: unknown): { readonly status: number; readonly type: string; readonly reason: string } | undefined {
  if (!(error instanceof errors.ResponseError)) return undefined;
  const { error: body } = (error.body ?? {}) as { error?: { type?: unknown; reason?: unknown } };
  const status = error.statusCode ?? 0;
  return { status, type: errorType(error.body) ?? `status ${status}`, reason: String(body?.reason ?? `status ${status}`) };
}

/** The failure of a whole request; an error that is not the client's stays what it is. */
export function elasticsearchFailure(error: unknown, address: string): unknown {
  const coded = (code: ErrorCode, params: ErrorParams = {}) =>
    new TailwaterError(code, { target: 'Elasticsearch', address, ...params }, { cause: error });
  const { ConnectionError, ElasticsearchClientError, NoLivingConnectionsError, ResponseError, TimeoutError } = errors;
  if (error instanceof ResponseError) return refusal(error, coded);
  if (error instanceof ConnectionError || error instanceof TimeoutError || error instanceof NoLivingConnectionsError)
    return coded('TW1301');
  return error instanceof ElasticsearchClientError ? coded('TW1313', { reason: error.message }) : error;
}

function refusal(error: errors.ResponseError, coded: (code: ErrorCode, params?: ErrorParams) => TailwaterError): TailwaterError {
  const status = error.statusCode ?? 0;
  const type = errorType(error.body) ?? `status ${status}`;
  if (status === 401) return coded('TW1302');
  if (status === 429) return coded('TW1311');
  if (status === FAILED && type !== 'cluster_block_exception') return coded('TW1390', { reason: type });
  if (isRetriableStatus(status) || type === 'cluster_block_exception') return coded('TW1310', { reason: type });
  if (status === 403) return coded('TW1303', { operation: 'write' });
  return coded('TW1313', { reason: type });
}

/** `error.type` of an Elasticsearch error body; a proxy's has none. */
function errorType(body: unknown): string | undefined {
  const error = (body as { error?: { type?: unknown } } | null | undefined)?.error;
  return typeof error?.type === 'string' ? error.type : undefined;
}
