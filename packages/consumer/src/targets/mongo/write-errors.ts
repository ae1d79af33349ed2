// MongoDB's codes of failed writes, which tell them apart; their text never does.
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml

import { errorCodes, PASSING_CODES, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';
import { maskReason } from '../mask-reason.js';
import type { ChangeResult } from '../target.js';

/** What the server says of a statement that failed. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg?: string;
  readonly keyPattern?: unknown;
  /** Of the index that a duplicate key is one in, unless it is the simple one. */
  readonly collation?: unknown;
}

/** InternalError, UnknownError: a defect of the server, perhaps at this very document. */
const FAILED: ReadonlySet<number> = new Set([1, 8]);

/** Codes that say nothing of the document: the collection is one that cannot be written to, or not by this user. */
const OF_PLACES: ReadonlySet<number> = new Set([
  13, // Unauthorized
  20, // IllegalOperation: deletes from a capped collection, system collections
  26, // NamespaceNotFound
  72, // InvalidOptions: single documents of a time series
  73, // InvalidNamespace
  166, // CommandNotSupportedOnView
  167, // OptionNotSupportedOnView
  10003, // CannotGrowDocumentInCappedNamespace
  12501, // over quota
]);

/** Codes of a whole command that one document in it can cause. */
const OF_DOCUMENTS: ReadonlySet<number> = new Set([
  15, // Overflow: nested too deeply
  22, // InvalidBSON
  378, // NonConformantBSON
  10334, // BSONObjectTooLarge
  17419, // an update makes the document too large
  17420, // a replacement is too large
]);

export const DUPLICATE_KEY = 11000;

export const isCodeOfPlace = (code: number): boolean => OF_PLACES.has(code);
export const isCodeOfDocument = (code: number): boolean => OF_DOCUMENTS.has(code);
/** Whether the same write can succeed later; 11000 is not among those, see {@link isLostUpsertRace}. */
export const isPassingCode = (code: number): boolean => PASSING_CODES.has(code) && !FAILED.has(code);

/** The indexes that a document, or a chunk of a file, is found by. */
const ID_INDEXES: ReadonlySet<string> = new Set(['_id', 'files_id,n']);
const namesOf = (keyPattern: unknown): string =>
  typeof keyPattern === 'object' && keyPattern !== null ? Object.keys(keyPattern).join() : '';

/** Two upserts of one `_id` at once: the loser finds the document when it tries again. A clash on another unique index stays one. */
function isLostUpsertRace(code: number, keyPattern: unknown): boolean {
  return code === DUPLICATE_KEY && namesOf(keyPattern) === '_id';
}

/** @param namespace where the statement was to write */
export function rejected({ code, errmsg, keyPattern, collation }: WriteError, namespace: Namespace): ChangeResult {
  if (isCodeOfPlace(code)) return misplaced(code, errmsg);
  if (code === DUPLICATE_KEY && collation !== undefined && ID_INDEXES.has(namesOf(keyPattern))) return foldedIds(namespace);
  const doubtful = FAILED.has(code);
  const retriable = doubtful || isPassingCode(code) || isLostUpsertRace(code, keyPattern);
  const rejection = { status: 'rejected', code: String(code), reason: maskReason(errmsg ?? `error ${code}`), retriable } as const;
  return doubtful ? { ...rejection, doubtful } : rejection;
}

/** The place cannot tell ids apart that differ: it waits until it can, and nothing in it is touched. */
export function foldedIds(namespace: Namespace): ChangeResult {
  const { code, message } = new TailwaterError(errorCodes.COLLATION_FOLDS_IDS, { namespace: formatNamespace(namespace) });
  return misplaced(code, message);
}

/** The collection is refused, not the change. */
export function misplaced(code: number | string, reason = `error ${code}`): ChangeResult {
  return { status: 'rejected', code: String(code), reason: maskReason(reason), retriable: true, scope: 'place' };
}
