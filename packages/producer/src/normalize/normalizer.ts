// Turns raw oplog entries into changes. What it cannot turn into one is counted by kind and logged once, never passed over
// in silence (promise E). https://github.com/mongodb/mongo/blob/master/src/mongo/db/repl/oplog_entry.idl
import type { Logger } from '@tailwater/runtime';
import { BsonCursor, findId, Position, readString, recordKey } from '@tailwater/schema';
import type { ChangeBatch, ChangeOp, TrackedNamespace, TransactionRef } from './change-batch.js';
import { readCommand } from './command.js';
import { EntryFields, Op } from './entry-fields.js';
import type { EntryNormalizer } from './entry-normalizer.js';
import type { NamespaceTable } from './namespace-table.js';
import type { NormalizeCounters } from './normalize-counters.js';

const DOLLAR = 0x24;
const field = new BsonCursor();

export class Normalizer implements EntryNormalizer {
  readonly #namespaces: NamespaceTable;
  readonly #logger: Logger;
  readonly #counters: NormalizeCounters;
  readonly #entry = new EntryFields();
  readonly #inner = new EntryFields();
  readonly #reported = new Set<string>();

  constructor(namespaces: NamespaceTable, counters: NormalizeCounters, logger: Logger) {
    this.#namespaces = namespaces;
    this.#counters = counters;
    this.#logger = logger;
  }

  /** Appends the changes of these entries to `out`, in order. */
  normalize(entries: readonly Buffer[], out: ChangeBatch): void {
    const entry = this.#entry;
    for (const source of entries) {
      entry.read(source, 0);
      if (entry.op === Op.noop) this.#counters.noops += 1;
      else if (entry.op === Op.command) this.#command(entry, out);
      else this.#change(entry, entry, 0, null, out);
    }
  }

  positionBehind(rows: ChangeBatch, row: number): Position {
    return new Position(rows.t[row] as number, rows.i[row] as number);
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
    out.op[row] = operationOf(change);
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
  }

  #command(entry: EntryFields, out: ChangeBatch): void {
    const { source } = entry;
    const namespace = this.#namespaces.atBytes(source, entry.nsStart, entry.nsEnd);
    const command = readCommand(source, entry.oStart);
    switch (command.name) {
      case 'applyOps':
        this.#applyOps(entry, command.valueStart, out);
        return;
      case 'create':
      case 'drop':
        this.#collectionCommand(command.name, this.#namespaces.byName(`${namespace.database}.${command.text}`), undefined, entry, out);
        return;
      case 'renameCollection':
        this.#collectionCommand('rename', this.#namespaces.byName(command.text), this.#namespaces.byName(command.to), entry, out);
        return;
      case 'dropDatabase': // The drop of each collection stands in the oplog before it.
      case 'createIndexes':
      case 'dropIndexes':
      case 'startIndexBuild':
      case 'commitIndexBuild':
      case 'abortIndexBuild':
      case 'collMod':
        this.#counters.commands += 1;
        return;
      default:
        this.#unknown(`command ${command.name}`, entry);
    }
  }

  #collectionCommand(
    kind: 'create' | 'drop' | 'rename',
    namespace: TrackedNamespace,
    to: TrackedNamespace | undefined,
    entry: EntryFields,
    out: ChangeBatch,
  ): void {
    this.#counters.commands += 1;
    if (!namespace.included && to?.included !== true) return;
    const { t, i, wallTimeMs } = entry;
    out.commands.push({ kind, namespace, ...(to === undefined ? {} : { to }), t, i, wallTimeMs });
  }

  /** The operations of one entry: a transaction that fits into it, or operations that the server grouped, such as a vectored insert. */
  #applyOps(entry: EntryFields, arrayStart: number, out: ChangeBatch): void {
    const { source } = entry;
    const kind = transactionKind(entry);
    if (kind !== 'whole') {
      this.#unknown(`${kind} transaction`, entry);
      return;
    }
    const id = entry.isVectored ? undefined : transactionId(entry);
    const operations = new BsonCursor();
    operations.enter(source, arrayStart);
    for (let ordinal = 0; operations.next(); ordinal++) {
      this.#inner.read(source, operations.valueStart);
      if (this.#inner.op === Op.noop) this.#counters.noops += 1;
      else if (this.#inner.op === Op.command) this.#unknown('command inside applyOps', entry);
      else this.#change(entry, this.#inner, ordinal, id === undefined ? null : { id, index: ordinal }, out);
    }
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

function operationOf(change: EntryFields): ChangeOp {
  if (change.op === Op.insert) return 'insert';
  if (change.op === Op.delete) return 'delete';
  // A replacement is the document itself; modifiers and diffs begin with a name such as $v, $set or $unset.
  field.enter(change.source, change.oStart);
  return field.next() && change.source[field.nameStart] === DOLLAR ? 'update' : 'replace';
}

/** Whether the entry's operations are all there, or a part of a transaction that other entries complete or decide on. */
function transactionKind(entry: EntryFields): 'whole' | 'chained' | 'prepared' {
  if (entry.isVectored) return 'whole';
  field.enter(entry.source, entry.oStart);
  while (field.next()) {
    const name = field.name();
    if (name === 'prepare') return 'prepared';
    if (name === 'partialTxn') return 'chained';
  }
  return entry.txnNumber >= 0n && entry.prevOpTimeStart >= 0 && hasPrevious(entry) ? 'chained' : 'whole';
}

function hasPrevious(entry: EntryFields): boolean {
  field.enter(entry.source, entry.prevOpTimeStart);
  while (field.next()) if (field.name() === 'ts') return entry.source.readBigUInt64LE(field.valueStart) !== 0n;
  return false;
}

/** `<session id>:<transaction number>`; undefined for operations that are no transaction. */
function transactionId(entry: EntryFields): string | undefined {
  if (entry.lsidStart < 0 || entry.txnNumber < 0n) return undefined;
  const session = findSessionId(entry);
  return session === undefined ? undefined : `${session}:${entry.txnNumber}`;
}

function findSessionId(entry: EntryFields): string | undefined {
  field.enter(entry.source, entry.lsidStart);
  while (field.next()) if (field.name() === 'id') return entry.source.toString('hex', field.valueStart + 5, field.valueEnd);
  return undefined;
}
