// What an oplog entry is to a transaction. Operations of one that is larger than an entry, or that shards prepare together,
// stand in entries of their own before the entry that decides on it; each points to the one before by its prevOpTime.
// https://github.com/mongodb/mongo/blob/master/src/mongo/db/repl/README.md#transactions
import { BsonCursor } from '@tailwater/schema';
import type { EntryFields } from './entry-fields.js';
import { positionOf } from './previous-position.js';

const field = new BsonCursor();

/**
 * What an applyOps entry holds. `whole`: all of its operations. `undecided`: some, which count once an entry that follows says
 * so. `end`: the last of them; it commits those of the entries before it as well.
 */
export function transactionPart(entry: EntryFields): 'whole' | 'undecided' | 'end' {
  if (entry.isVectored) return 'whole';
  field.enter(entry.source, entry.oStart);
  while (field.next()) if (field.isNamed(PREPARE) || field.isNamed(PARTIAL)) return 'undecided';
  const isChained = entry.prevOpTimeStart >= 0 && positionOf(entry.source, entry.prevOpTimeStart) !== undefined;
  return isChained ? 'end' : 'whole';
}

/** `<session id>:<transaction number>`; undefined for operations that are no transaction. */
export function transactionId({ source, lsidStart, txnNumber, isVectored }: EntryFields): string | undefined {
  if (lsidStart < 0 || txnNumber < 0n || isVectored) return undefined;
  field.enter(source, lsidStart);
  while (field.next()) if (field.isNamed(ID)) return `${source.toString('hex', field.valueStart + 5, field.valueEnd)}:${txnNumber}`;
  return undefined;
}

const PREPARE = Buffer.from('prepare');
const PARTIAL = Buffer.from('partialTxn');
const ID = Buffer.from('id');
