// Which documents a target should hold by the topics: each record goes through the same stages as in `consumer start`, up to the
// target, and what its last record leaves alive is alive.
import { type Namespace, Position } from '@tailwater/schema';
import type { Inventory } from '../apply/inventory.js';
import type { Change } from '../change.js';
import { decodeRecord, type RecordSource, UndecodableRecordError } from '../decode/decode-record.js';
import type { FetchedRecord } from '../subscribe/subscription.js';
import type { Transform } from '../transform/transform.js';
import type { IdSet } from './id-set.js';

const NOTHING = Buffer.alloc(0);
const NO_POSITION = new Position(0, 0);

/** A place at the target, and what should be in it. */
export interface Place {
  readonly inventory: Inventory;
  readonly living: IdSet;
}

export interface LivingDocumentsParts {
  /** Undefined for what the consumer leaves out. */
  readonly transform: Transform;
  /** The same object for namespaces that share their place; undefined for one that is none of this repair's. */
  readonly placeOf: (destination: Namespace) => Place | undefined;
}

export class LivingDocuments {
  readonly #parts: LivingDocumentsParts;
  /** By record key, what a record that could not be read, or was refused, may have left at the target. */
  readonly #unknown = new Map<string, readonly Change[]>();

  constructor(parts: LivingDocumentsParts) {
    this.#parts = parts;
  }

  take(record: FetchedRecord, source: RecordSource): void {
    const name = `${source.topic}/${record.key?.toString('latin1') ?? ''}`;
    let change: Change | undefined;
    try {
      change = decodeRecord(record, source);
    } catch (error) {
      if (!(error instanceof UndecodableRecordError)) throw error;
      if (record.key !== null) this.#unknown.set(name, this.#whatMayBe(placeholder(record, source)));
      return;
    }
    if (change === undefined) return;
    const made = this.#parts.transform(change);
    if (made?.refusal !== undefined) {
      this.#unknown.set(name, this.#whatMayBe(change));
      return;
    }
    if (this.#unknown.size > 0) this.#unknown.delete(name);
    if (made !== undefined) for (const each of [made, ...(made.parts ?? [])]) this.#note(each);
  }

  /** What could not be told stays where it is. */
  end(): void {
    for (const changes of this.#unknown.values()) {
      for (const { namespace, key } of changes) {
        const place = this.#parts.placeOf(namespace);
        place?.living.add(place.inventory.idOf(key));
      }
    }
  }

  #note({ kind, namespace, key }: Change): void {
    const place = this.#parts.placeOf(namespace);
    if (place === undefined) return;
    const id = place.inventory.idOf(key);
    if (kind === 'upsert') place.living.add(id);
    else place.living.delete(id);
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
