// Which of MongoDB's failures time cures, by label, code and the driver's own names, never by text. One table for all that reads from
// MongoDB and all that writes to it: what counts as passing at one end and as lasting at the other makes dead letters of good documents.
// https://github.com/mongodb/specifications/blob/master/source/retryable-reads/retryable-reads.md

/** A failure as the driver throws it, which this package does not import. */
export interface MongoFailure {
  readonly name: string;
  hasErrorLabel(label: string): boolean;
}

/** What the server, or the driver for it, says of an error that another attempt cures. ResetPool: a failover closed the pool under a command. */
const PASSING_LABELS = [
  'RetryableWriteError',
  'TransientTransactionError',
  'ResumableChangeStreamError',
  'ResetPool',
  'RetryableError',
  'SystemOverloadedError',
];

/** The driver's own errors for servers, pools and sessions that are gone by now; it does not export all of their classes. */
const PASSING_NAMES: ReadonlySet<string> = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoServerClosedError',
  'MongoTopologyClosedError',
  'MongoStalePrimaryError',
  'MongoExpiredSessionError',
  'MongoOperationTimeoutError',
  'MongoUnexpectedServerResponseError',
  'MongoWaitQueueTimeoutError',
  'MongoPoolClosedError',
  'MongoPoolClearedError',
  'PoolClearedOnNetworkError',
]);

/** Whether the error says of itself that another attempt cures it. */
export const isLabelledPassing = (error: Pick<MongoFailure, 'hasErrorLabel'>): boolean =>
  PASSING_LABELS.some((label) => error.hasErrorLabel(label));

/** Whether the driver found no server, or lost it; not for what a server answered. */
export const isServerGone = ({ name }: Pick<MongoFailure, 'name'>): boolean => PASSING_NAMES.has(name);
