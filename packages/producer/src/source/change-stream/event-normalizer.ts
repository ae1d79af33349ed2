// Turns raw change events into the same changes that the oplog's entries become. What it cannot turn into one is counted by
// kind and logged once, never passed over in silence (promise E). https://www.mongodb.com/docs/manual/reference/change-events/
import type { Logger } from '@tailwater/runtime';
import { BsonCursor, findId, type Position, recordKey } from '@tailwater/schema';
import type { ChangeBatch, ChangeOp, TransactionRef } from '../../changes/change-batch.js';
import type { NamespaceTable } from '../../changes/namespace-table.js';
import type { EntryNormalizer } from '../entry-normalizer.js';
import type { NormalizeCounters } from '../normalize-counters.js';
import { EventFields } from './event-fields.js';
import { positionBehind } from './event-place.js';
import { readToken } from './resume-token.js';

/** Kinds that change no document and name no other collection than before. */
const OTHER_COMMANDS = new Set([
  'createIndexes',
  'dropIndexes',
  'modify',
  'shardCollection',
  'refineCollectionShardKey',
  'reshardCollection',
  'dropDatabase', // The drop of each collection comes before it.
  'invalidate', // The stream's own end; the source opens it anew.
]);

const session = new BsonCursor();

export class EventNormalizer implements EntryNormalizer {
  readonly #namespaces: NamespaceTable;
  readonly #counters: NormalizeCounters;
  readonly #logger: Logger;
  readonly #isSharded: boolean;
  readonly #event = new EventFields();
  readonly #reported = new Set<string>();
  /** The place of the event before, for servers whose tokens do not say the ordinal. */
  #last = { t: 0, i: 0, ordinal: 0 };

  /** @param isSharded - the events are those of several shards, merged by a mongos: a delete is that of one shard */
  constructor(namespaces: NamespaceTable, counters: NormalizeCounters, logger: Logger, isSharded = false) {
    this.#isSharded = isSharded;
    this.#namespaces = namespaces;
    this.#counters = counters;
    this.#logger = logger;
  }

  normalize(entries: readonly Buffer[], out: ChangeBatch): number {
    for (const source of entries) {
      this.#event.read(source);
      this.#take(this.#event, this.#ordinal(this.#event), out);
    }
    return entries.length;
  }

  /** The server has done it: each operation is an event. */
  async *expand(): AsyncGenerator<number> {}

  positionBehind(rows: ChangeBatch, row: number): Position {
    return positionBehind(rows.idSource[row] as Buffer);
  }

  #take(event: EventFields, ordinal: number, out: ChangeBatch): void {
    const { operationType } = event;
    switch (operationType) {
      case 'insert':
      case 'update':
      case 'replace':
        this.#change(event, operationType, ordinal, out);
        return;
      case 'delete':
        this.#change(event, this.#isSharded ? 'leave' : operationType, ordinal, out);
        return;
      case 'create':
      case 'drop':
      case 'rename':
        this.#counters.commands += 1;
        if (!event.isView) this.#collectionCommand(event, operationType, out);
        return;
      default:
        if (OTHER_COMMANDS.has(operationType)) this.#counters.commands += 1;
        else this.#unknown(`event ${operationType}`, event);
    }
  }

  #change(event: EventFields, op: ChangeOp, ordinal: number, out: ChangeBatch): void {
    const { source } = event;
    this.#counters.events += 1;
    const namespace = this.#namespaces.byName(event.namespace);
    if (!namespace.included) {
      this.#counters.filtered += 1;
      return;
    }
    const id = event.documentKeyStart < 0 ? undefined : findId(source, event.documentKeyStart);
    const document = event.fullDocumentStart < 0 ? undefined : source.subarray(event.fullDocumentStart, event.fullDocumentEnd);
    if (id === undefined || (document === undefined && (op === 'insert' || op === 'replace'))) {
      this.#counters.filtered += 1;
      this.#unknown(`event ${op} without ${id === undefined ? '_id' : 'document'}`, event);
      return;
    }
    const row = out.length++;
    out.op[row] = op;
    out.namespace[row] = namespace;
    out.key[row] = recordKey(source, id.type, id.start);
    out.t[row] = event.t;
    out.i[row] = event.i;
    out.ordinal[row] = ordinal;
    out.wallTimeMs[row] = event.wallTimeMs;
    out.transaction[row] = transactionOf(event, ordinal);
    out.idSource[row] = source;
    out.idType[row] = id.type;
    out.idStart[row] = id.start;
    out.idEnd[row] = id.end;
    out.document[row] = document;
    out.updateStart[row] = event.updateDescriptionStart;
  }

  #collectionCommand(event: EventFields, kind: 'create' | 'drop' | 'rename', out: ChangeBatch): void {
    const namespace = this.#namespaces.byName(event.namespace);
    const to = event.to === '' ? undefined : this.#namespaces.byName(event.to);
    if (!namespace.included && to?.included !== true) return;
    const { t, i, wallTimeMs } = event;
    out.commands.push({ kind, namespace, ...(to === undefined ? {} : { to }), t, i, wallTimeMs });
  }

  #ordinal({ source, tokenStart, t, i }: EventFields): number {
    const place = readToken(source, tokenStart);
    const last = this.#last;
    const ordinal = place?.ordinal ?? (last.t === t && last.i === i ? last.ordinal + 1 : 0);
    this.#last = { t, i, ordinal };
    return ordinal;
  }

  #unknown(kind: string, event: EventFields): void {
    this.#counters.unknown(kind);
    if (this.#reported.has(kind)) return;
    this.#reported.add(kind);
    this.#logger.warn(
      { kind, position: `${event.t}:${event.i}`, namespace: event.namespace },
      'Skipped a change event of an unknown kind; further ones are only counted',
    );
  }
}

function transactionOf({ source, lsidStart, txnNumber }: EventFields, index: number): TransactionRef | null {
  if (lsidStart < 0 || txnNumber < 0n) return null;
  session.enter(source, lsidStart);
  while (session.next()) {
    if (session.name() === 'id') return { id: `${source.toString('hex', session.valueStart + 5, session.valueEnd)}:${txnNumber}`, index };
  }
  return null;
}
