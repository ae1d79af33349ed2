// Turns raw oplog entries into changes. What it cannot turn into one is counted by kind and logged once, never passed over
// in silence (promise E). https://github.com/mongodb/mongo/blob/master/src/mongo/db/repl/oplog_entry.idl
import type { Logger } from '@tailwater/runtime';
import { BsonCursor, findId, Position, readString, recordKey } from '@tailwater/schema';
import type { ChangeBatch, ChangeOp, TrackedNamespace, TransactionRef } from '../../changes/change-batch.js';
import type { NamespaceTable } from '../../changes/namespace-table.js';
import type { EntryNormalizer } from '../entry-normalizer.js';
import type { NormalizeCounters } from '../normalize-counters.js';
import type { TransactionSource } from '../source.js';
import { type Command, isWithoutEffect, readCommand } from './command.js';
import { EntryFields, Op } from './entry-fields.js';
import { transactionId, transactionPart } from './transaction.js';

const DOLLAR = 0x24;
const field = new BsonCursor();

export class Normalizer implements EntryNormalizer {
  readonly #transactions: TransactionSource;
  readonly #namespaces: NamespaceTable;
  readonly #logger: Logger;
  readonly #counters: NormalizeCounters;
  readonly #entry = new EntryFields();
  readonly #inner = new EntryFields();
  readonly #part = new EntryFields();
  readonly #reported = new Set<string>();
  readonly #isSharded: boolean;

  /** @param isSharded - the entries are those of several shards: a delete, a drop or a rename is each one's own part of it */
  constructor(transactions: TransactionSource, namespaces: NamespaceTable, counters: NormalizeCounters, logger: Logger, isSharded = false) {
    this.#isSharded = isSharded;
    this.#transactions = transactions;
    this.#namespaces = namespaces;
    this.#counters = counters;
    this.#logger = logger;
  }

  normalize(entries: readonly Buffer[], out: ChangeBatch, from = 0): number {
    const entry = this.#entry;
    for (let index = from; index < entries.length; index++) {
      entry.read(entries[index] as Buffer, 0);
      if (entry.op === Op.noop) this.#counters.noops += 1;
      else if (entry.op !== Op.command) this.#change(entry, entry, 0, null, out);
      else if (this.#command(entry, out)) return index;
    }
    return entries.length;
  }

  async *expand(end: Buffer, out: ChangeBatch): AsyncGenerator<number> {
    let ordinal = 0;
    for await (const part of this.#transactions.entriesOf(end)) {
      ordinal = this.appendPart(end, part, ordinal, out);
      yield part.length;
    }
  }

  /**
   * Appends the operations that one entry of a transaction's chain holds, at the position of the entry that ends it.
   *
   * @param ordinal - of the first of them inside the transaction
   * @returns the ordinal behind the last
   */
  appendPart(end: Buffer, part: Buffer, ordinal: number, out: ChangeBatch): number {
    this.#part.read(part, 0);
    this.#entry.read(end, 0);
    const command = readCommand(part, this.#part.oStart);
    if (command.name !== 'applyOps') {
      this.#counters.commands += 1;
      return ordinal;
    }
    return this.#operations(this.#entry, part, command.valueStart, ordinal, transactionId(this.#entry), out);
  }

  positionBehind(rows: ChangeBatch, row: number): Position | undefined {
    const [t, i] = [rows.t[row] as number, rows.i[row] as number];
    const isShared = row + 1 < rows.length && rows.t[row + 1] === t && rows.i[row + 1] === i;
    return isShared ? undefined : new Position(t, i);
  }

  /** One insert, update or delete; `entry` has the position, `change` the operation, which is another one inside a transaction. */
  #change(entry: EntryFields, change: EntryFields, ordinal: number, transaction: TransactionRef | null, out: ChangeBatch): void {
    const { source, op } = change;
    if (op !== Op.insert && op !== Op.update && op !== Op.delete) {
      this.#unknown(`op ${change.opStart < 0 ? '' : readString(source, change.opStart)}`, entry);
      return;
    }
    this.#counters.events += 1;
    const namespace = this.#namespaces.atBytes(source, change.nsStart, change.nsEnd);
    // What the balancer moves between shards is no change of a document: the shard that it came from reported it.
    if (!namespace.included || change.fromMigrate || entry.fromMigrate) {
      this.#counters.filtered += 1;
      return;
    }
    const id = findId(source, op === Op.update && change.o2Start >= 0 ? change.o2Start : change.oStart);
    if (id === undefined) {
      this.#counters.filtered += 1;
      this.#unknown(`${String.fromCharCode(op)} without _id`, entry);
      return;
    }
    const row = out.length++;
    out.op[row] = operationOf(change, this.#isSharded);
    out.namespace[row] = namespace;
    out.key[row] = recordKey(source, id.type, id.start);
    out.t[row] = entry.t;
    out.i[row] = entry.i;
    out.ordinal[row] = ordinal;
    out.wallTimeMs[row] = entry.wallTimeMs;
    out.transaction[row] = transaction;
    out.idSource[row] = source;
    out.idType[row] = id.type;
    out.idStart[row] = id.start;
    out.idEnd[row] = id.end;
    const carriesDocument = out.op[row] === 'insert' || out.op[row] === 'replace';
    out.document[row] = carriesDocument ? source.subarray(change.oStart, change.oEnd) : undefined;
    out.updateStart[row] = change.oStart;
  }

  /** @returns whether the entry ends a transaction whose operations stand in earlier entries: nothing of it was taken */
  #command(entry: EntryFields, out: ChangeBatch): boolean {
    const { source } = entry;
    const command = readCommand(source, entry.oStart);
    if (command.name === 'commitTransaction') return true;
    if (command.name !== 'applyOps') {
      this.#otherCommand(entry, entry, command, out);
      return false;
    }
    const part = transactionPart(entry);
    if (part === 'whole') this.#operations(entry, source, command.valueStart, 0, transactionId(entry), out);
    return part === 'end';
  }

  /** A command that is no applyOps, alone or among the operations of one; `entry` has the position. */
  #otherCommand(entry: EntryFields, operation: EntryFields, command: Command, out: ChangeBatch): void {
    const { source, nsStart, nsEnd } = operation;
    const { name, text, to } = command;
    const { database } = this.#namespaces.atBytes(source, nsStart, nsEnd);
    const isMoved = entry.fromMigrate || operation.fromMigrate;
    switch (name) {
      case 'create':
        this.#collectionCommand(name, this.#namespaces.byName(`${database}.${text}`), undefined, isMoved, entry, out);
        return;
      case 'drop':
        this.#collectionCommand(name, this.#namespaces.byName(`${database}.${text}`), undefined, isMoved || this.#isSharded, entry, out);
        return;
      case 'renameCollection':
        this.#collectionCommand(
          'rename',
          this.#namespaces.byName(text),
          this.#namespaces.byName(to),
          isMoved || this.#isSharded,
          entry,
          out,
        );
        return;
      case 'emptycapped':
      case 'convertToCapped': // Up to MongoDB 4.0. It keeps the newest documents, and no entry says which.
        this.#collectionCommand('drop', this.#namespaces.byName(`${database}.${text}`), undefined, true, entry, out);
        return;
      default:
        if (isWithoutEffect(name)) this.#counters.commands += 1;
        else this.#unknown(`command ${name}`, entry);
    }
  }

  #collectionCommand(
    kind: 'create' | 'drop' | 'rename',
    namespace: TrackedNamespace,
    to: TrackedNamespace | undefined,
    isPartial: boolean,
    entry: EntryFields,
    out: ChangeBatch,
  ): void {
    this.#counters.commands += 1;
    if (!namespace.included && to?.included !== true) return;
    const { t, i, wallTimeMs } = entry;
    out.commands.push({ kind, namespace, ...(to === undefined ? {} : { to }), ...(isPartial ? { isPartial } : {}), t, i, wallTimeMs });
  }

  /**
   * The operations of an array of applyOps: a transaction, a part of one, or what the server grouped, such as a vectored insert.
   *
   * @returns the ordinal behind the last
   */
  #operations(entry: EntryFields, source: Buffer, start: number, ordinal: number, id: string | undefined, out: ChangeBatch): number {
    const inner = this.#inner;
    const operations = new BsonCursor();
    operations.enter(source, start);
    let next = ordinal;
    while (operations.next()) {
      inner.read(source, operations.valueStart);
      if (inner.op === Op.command) {
        const command = readCommand(source, inner.oStart);
        if (command.name === 'applyOps') {
          next = this.#operations(entry, source, command.valueStart, next, id, out);
          continue;
        }
        this.#otherCommand(entry, inner, command, out);
      } else if (inner.op === Op.noop) this.#counters.noops += 1;
      else this.#change(entry, inner, next, id === undefined ? null : { id, index: next }, out);
      next += 1;
    }
    return next;
  }

  #unknown(kind: string, entry: EntryFields): void {
    this.#counters.unknown(kind);
    if (this.#reported.has(kind)) return;
    this.#reported.add(kind);
    this.#logger.warn(
      {
        kind,
        position: `${entry.t}:${entry.i}`,
        namespace: this.#namespaces.atBytes(entry.source, entry.nsStart, entry.nsEnd).name,
      },
      'An oplog entry of a kind that is not understood was passed over; further ones are only counted',
    );
  }
}

function operationOf(change: EntryFields, isSharded: boolean): ChangeOp {
  if (change.op === Op.insert) return 'insert';
  if (change.op === Op.delete) return isSharded ? 'leave' : 'delete';
  // A replacement is the document itself; modifiers and diffs begin with a name such as $v, $set or $unset.
  field.enter(change.source, change.oStart);
  return field.next() && change.source[field.nameStart] === DOLLAR ? 'update' : 'replace';
}
