// What a `_bulk` response says of each change. Failures are told apart by status and error type, never by their text.
import type { Change } from '../../change.js';
import { maskReason } from '../mask-reason.js';
import { APPLIED, type ChangeResult, SUPERSEDED } from '../target.js';
import { FAILED, isRetriableStatus } from './failures.js';

export interface BulkResponse {
  readonly errors: boolean;
  readonly items: readonly Readonly<Record<string, { readonly status: number; readonly error?: BulkError }>>[];
}

interface BulkError {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: BulkError;
}

/** Only this much of the response is sent: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/common-options.html#common-options-response-filtering */
export const BULK_FILTER =
  'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,items.*.error.caused_by.caused_by.reason';

const CONFLICT = 409;
const NOT_FOUND = 404;

export function readBulkResponse(changes: readonly Change[], response: BulkResponse): ChangeResult[] {
  if (!response.errors) return changes.map(() => APPLIED);
  return changes.map((change, index) => {
    const item = Object.values(response.items[index] ?? {})[0];
    if (item === undefined)
      return { status: 'rejected', code: 'missing', reason: 'The response does not mention the change', retriable: true };
    const { status, error } = item;
    if (error === undefined || (status === NOT_FOUND && change.kind === 'delete')) return APPLIED;
    if (status === CONFLICT && error.type === 'version_conflict_engine_exception') return SUPERSEDED;
    return {
      status: 'rejected',
      code: error.type ?? String(status),
      reason: reasonOf(error) ?? `status ${status}`,
      retriable: isRetriableStatus(status) || isOfIndex(error.type),
      ...(status === FAILED && !isOfIndex(error.type) ? { doubtful: true } : {}),
    };
  });
}

/** What it says, and what that was caused by: often only the latter tells what is wrong. */
function reasonOf(error: BulkError): string | undefined {
  const reasons: string[] = [];
  for (let each: BulkError | undefined = error; each !== undefined; each = each.caused_by) {
    const reason = maskReason(each.reason ?? '');
    if (reason !== '' && !reasons.includes(reason)) reasons.push(reason);
  }
  return reasons.length === 0 ? undefined : reasons.join(': ');
}

export const NO_INDEX = 'index_not_found_exception';

/**
 * Whether the trouble is the index's and no document's: a block is lifted by whoever set it, or by Elasticsearch itself when the disk has
 * room again; an index that may not create itself, somebody will create.
 */
const isOfIndex = (type: string | undefined): boolean => type === 'cluster_block_exception' || type === NO_INDEX;
