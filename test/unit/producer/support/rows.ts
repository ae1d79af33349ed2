// Rows of a batch, as the normalize stage or a chunk leaves them.
import { findId, type RawValue, recordKey } from '@tailwater/schema';
import { BSON } from 'bson';
import type { ChangeBatch, ChangeOp, TrackedNamespace, TransactionRef } from '#producer/changes/change-batch.js';
import { raw, T } from './entries.js';

export const ORDERS: TrackedNamespace = { name: 'shop.orders', database: 'shop', collection: 'orders', included: true };
export const ITEMS: TrackedNamespace = { name: 'shop.items', database: 'shop', collection: 'items', included: true };

export interface RowOptions {
  readonly op?: ChangeOp;
  readonly namespace?: TrackedNamespace;
  readonly id?: unknown;
  readonly t?: number;
  readonly i?: number;
  readonly ordinal?: number;
  readonly transaction?: TransactionRef | null;
  /** The document; none for a delete, nor for an update that was not looked up yet. */
  readonly document?: BSON.Document | Buffer | undefined;
}

/** Appends a row; an insert's document is `{_id}` unless one is given. */
export function addRow(batch: ChangeBatch, options: RowOptions = {}): void {
  const { op = 'insert', namespace = ORDERS, id = 1, t = T, i = batch.length + 1, ordinal = 0, transaction = null } = options;
  const source = raw({ _id: id });
  const found = findId(source) as RawValue;
  const row = batch.length++;
  batch.op[row] = op;
  batch.namespace[row] = namespace;
  batch.key[row] = recordKey(source, found.type, found.start);
  batch.t[row] = t;
  batch.i[row] = i;
  batch.ordinal[row] = ordinal;
  batch.wallTimeMs[row] = t * 1000;
  batch.transaction[row] = transaction;
  batch.idSource[row] = source;
  batch.idType[row] = found.type;
  batch.idStart[row] = found.start;
  batch.idEnd[row] = found.end;
  const document = 'document' in options ? options.document : op === 'delete' || op === 'update' ? undefined : source;
  batch.document[row] = document === undefined || Buffer.isBuffer(document) ? document : Buffer.from(BSON.serialize(document));
}
