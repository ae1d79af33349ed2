// What a source of changes is, whatever it reads: batches of raw entries in oplog order, each ending at a known position.
import type { Position } from '@tailwater/schema';

/**
 * What one read brought. Maintained invariant: `entries` are consecutive majority-committed entries in oplog order
 * (promise G), and every entry at or before `end` has been handed out by this batch or an earlier one (promise A).
 */
export interface EntryBatch {
  /** Raw BSON entries of the oplog, or change events; empty when the source was read and had nothing new. */
  readonly entries: readonly Buffer[];
  /** The position of the last entry handed out so far. */
  readonly end: Position;
  /**
   * Whether nothing of the entry at `end` is left: an end inside an entry has not passed it, unless what was read goes on behind it.
   * Nothing more may be concluded from a read that found nothing: the member that was read may lag.
   */
  readonly isWhole: boolean;
}

export interface ChangeSource {
  /**
   * Reads on from `after` until the signal aborts. Reconnects by itself; nothing is skipped or repeated within one call.
   *
   * @throws TailwaterError TW1106 when `after` is no longer in the oplog, TW1160 when a change stream cannot be resumed there (promise F)
   */
  read(after: Position, signal: AbortSignal): AsyncGenerator<EntryBatch>;
  /** The newest majority-committed position, where a first start begins. */
  newestPosition(): Promise<Position>;
  /** Called before the first position is written. */
  begin?(): Promise<void>;
  /** Called when everything up to the position was handed to the publisher, for a source that keeps what it read from until then. */
  passed?(end: Position): Promise<void>;
}

/** Where the operations of transactions are that stand in several entries. */
export interface TransactionSource {
  /**
   * The entries that hold them, in order, the one that ends the transaction last: no more than a few in memory at a time.
   *
   * @param end - the raw entry that ends it
   * @throws TailwaterError TW1106 when one of them is no longer there (promise F)
   */
  entriesOf(end: Buffer): AsyncGenerator<Buffer>;
}
