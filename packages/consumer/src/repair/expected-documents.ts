// Which documents a target should hold by the topics: each record goes through the same stages as in `consumer start`, up to the
// target, and what its last record leaves alive is alive.
import { type Namespace, Position, type SchemaIds } from '@tailwater/schema';
import type { Change } from '../changes/change.js';
import { decodeRecord, learnSchema, type RecordSource, UndecodableRecordError, UnlistedRecordError } from '../decode/decode-record.js';
import type { FetchedRecord } from '../subscribe/subscription.js';
import type { Inventory } from '../targets/inventory.js';
import type { Transform } from '../transform/transform.js';
import type { IdSet } from './id-set.js';

const NOTHING = Buffer.alloc(0);
const NO_POSITION = new Position(0, 0);

/** A place at the target, and what should be in it. */
export interface Place {
  readonly inventory: Inventory;
  readonly expected: IdSet;
}

export interface ExpectedDocumentsParts {
  /** Undefined for what the consumer leaves out. */
  readonly transform: Transform;
  /** The same object for namespaces that share their place; undefined for one that this repair does not cover. */
  readonly placeOf: (destination: Namespace) => Place | undefined;
  /** What is known of a schema registry, and how the rest is looked up where there is one. */
  readonly schemas: SchemaIds;
  readonly signal: AbortSignal;
}

export class ExpectedDocuments {
  readonly #parts: ExpectedDocumentsParts;

  constructor(parts: ExpectedDocumentsParts) {
    this.#parts = parts;
  }

  /**
   * A promise only for a record whose schema has to be looked up.
   *
   * @throws TailwaterError TW1564 when there is no registry to look it up in
   */
  take(record: FetchedRecord, source: RecordSource, isFirst = true): Promise<void> | undefined {
    let change: Change | undefined;
    try {
      change = decodeRecord(record, source, this.#parts.schemas);
    } catch (error) {
      if (!(error instanceof UndecodableRecordError)) throw error;
      if (error instanceof UnlistedRecordError && isFirst) return this.#withSchema(record, source, error);
      if (record.key !== null) this.#keep(placeholder(record, source));
      return undefined;
    }
    if (change === undefined) return undefined;
    const made = this.#parts.transform(change);
    if (made?.refusal !== undefined) this.#keep(change);
    else if (made !== undefined) for (const each of [made, ...(made.parts ?? [])]) this.#note(each);
    return undefined;
  }

  async #withSchema(record: FetchedRecord, source: RecordSource, unlisted: UnlistedRecordError): Promise<void> {
    const { schemas, signal } = this.#parts;
    await learnSchema(schemas, record, source, unlisted, signal);
    await this.take(record, source, false);
  }

  /** What a record that could not be read, or was refused, may have left at the target stays there, until a later one tells. */
  #keep(change: Change): void {
    for (const { namespace, key } of this.#whatMayBe(change)) {
      const place = this.#parts.placeOf(namespace);
      place?.expected.add(place.inventory.idOf(key));
    }
  }

  #note({ kind, namespace, key }: Change): void {
    const place = this.#parts.placeOf(namespace);
    if (place === undefined) return;
    const id = place.inventory.idOf(key);
    if (kind === 'upsert') place.expected.add(id);
    else place.expected.delete(id);
  }

  /** A delete reaches every document that was ever made of this one. */
  #whatMayBe(change: Change): readonly Change[] {
    const made = this.#parts.transform({ ...change, kind: 'delete', op: 'delete', document: NOTHING });
    return made === undefined ? [] : [made, ...(made.parts ?? [])];
  }
}

function placeholder({ key, offset }: FetchedRecord, { topic, partition, namespace }: RecordSource): Change {
  const rest = { topic, partition, namespace, offset: Number(offset), origin: 'tail', op: 'delete', wallTimeMs: 0 } as const;
  return { ...rest, kind: 'delete', key: key?.toString('utf8') ?? '', document: NOTHING, position: NO_POSITION };
}
