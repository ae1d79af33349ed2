// What a `_bulk` response says of each change. Failures are told apart by status and error type, never by their text.
import type { Change } from '../../changes/change.js';
import { documentId } from '../document-id.js';
import { maskReason } from '../mask-reason.js';
import { APPLIED, type ChangeResult, type Rejection, SUPERSEDED } from '../target.js';
import { FAILED } from './failures.js';

interface BulkItem {
  readonly _id?: string;
  readonly status: number;
  readonly error?: BulkError;
}

interface BulkError {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: BulkError;
}

export interface BulkResponse {
  readonly errors: boolean;
  readonly items: readonly Readonly<Record<string, BulkItem>>[];
}

/** Only this much of the response is sent: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/common-options.html#common-options-response-filtering */
export const BULK_FILTER =
  'errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,items.*.error.caused_by.caused_by.reason';

const CONFLICT = 409;
const NOT_FOUND = 404;
const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403]);

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
 * The trouble is the index's and no document's: an operator opens or creates it, or lifts the block (Elasticsearch itself, when the disk has
 * room again), makes room for its shards. Such a refusal of a delete is no success either: the document may be where the name should lead.
 */
const OF_PLACES: ReadonlySet<string | undefined> = new Set([
  'cluster_block_exception',
  'index_closed_exception',
  'invalid_alias_name_exception',
  'invalid_index_name_exception',
  'validation_exception', // The shard limit; what is wrong with a request is an action_request_validation_exception.
  NO_INDEX,
]);

/** The document does not fit the mapping. */
const OF_DOCUMENTS: ReadonlySet<string | undefined> = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
]);

/** Why this is no response to a request with these changes; undefined when it is one. */
export function notABulkResponse(changes: readonly Change[], response: unknown): string | undefined {
  const { errors, items } = (response ?? {}) as Partial<BulkResponse>;
  if (typeof errors !== 'boolean' || !Array.isArray(items)) return 'an answer without the items of a bulk request';
  if (items.length !== changes.length) return `${items.length} items for ${changes.length} changes`;
  for (const [index, change] of changes.entries()) {
    const item = (items as BulkResponse['items'])[index]?.[change.kind === 'upsert' ? 'index' : 'delete'];
    if (item?._id !== documentId(change.key) || typeof item.status !== 'number') return 'items of other changes than were sent';
  }
  return undefined;
}

/** @param response one that {@link notABulkResponse} accepts */
export function readBulkResponse(changes: readonly Change[], response: BulkResponse): ChangeResult[] {
  if (!response.errors) return changes.map(() => APPLIED);
  return response.items.map((item) => verdictOf(Object.values(item)[0] as BulkItem));
}

function verdictOf({ status, error }: BulkItem): ChangeResult {
  if (error === undefined) return status < 300 || status === NOT_FOUND ? APPLIED : rejection(status, {}, { retriable: true });
  if (status === CONFLICT && error.type === 'version_conflict_engine_exception') return SUPERSEDED;
  if (OF_PLACES.has(error.type) || FORBIDDEN.has(status)) return rejection(status, error, { retriable: true, scope: 'place' });
  if (status === TOO_MANY_REQUESTS) return rejection(status, error, { retriable: true });
  if (status === FAILED) return rejection(status, error, { retriable: true, doubtful: true });
  // A shard that is away, a master that is: other indices may have theirs.
  if (status > FAILED || status === REQUEST_TIMEOUT) return rejection(status, error, { retriable: true, scope: 'place' });
  return rejection(status, error, { retriable: false });
}

const rejection = (status: number, error: BulkError, kind: Pick<Rejection, 'retriable' | 'doubtful' | 'scope'>): Rejection => ({
  status: 'rejected',
  code: error.type ?? String(status),
  reason: reasonOf(error) ?? `status ${status}`,
  ...kind,
});

/**
 * Whether a refusal may be the place's as well as the document's: an alias without a write index and a data stream refuse every
 * document with the type that a value of the wrong kind is refused with.
 */
export const isAmbiguous = (result: ChangeResult | undefined): result is Rejection =>
  result?.status === 'rejected' && !result.retriable && !OF_DOCUMENTS.has(result.code);
