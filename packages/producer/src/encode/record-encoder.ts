// Changes to Kafka records: the key and the Avro envelope of each are written one after the other into one buffer a batch.
import {
  type ChangeEvent,
  FILE_HEADER,
  type FileState,
  type Operation,
  type Origin,
  Position,
  partitionOf,
  tombstoneHeaders,
  writeChangeEvent,
} from '@tailwater/schema';
import type { ChangeBatch, TrackedNamespace } from '../changes/change-batch.js';
import { allocateLarge } from '../memory/large-buffers.js';
import { divideMemory } from '../memory/memory-shares.js';
import { jsonValue } from './json-value.js';
import { type SizedDescription, UpdateDescriber } from './update-description.js';

/** One record as Kafka clients take it. */
export interface OutgoingRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly partition: number;
  readonly headers?: Record<string, string>;
}

export interface TopicRecords {
  readonly topic: string;
  /** Of one record batch, where the topic takes less than those of ours. */
  readonly maxBytes?: number;
  readonly messages: OutgoingRecord[];
}

/** The topic of a namespace and its number of partitions. */
export interface TopicLayout {
  readonly topic: string;
  readonly partitions: number;
  /** Of one record batch, where the topic takes less than those of ours. */
  readonly maxBytes?: number;
  /** What values begin with when a schema registry is used; else the framing is Avro's own. */
  readonly header?: Buffer;
}

export type ValueFormat = 'avro' | 'json';

export interface EncodedBatch {
  readonly topics: TopicRecords[];
  /** Records for readers: changes and tombstones. */
  readonly records: number;
  /** The same by namespace. */
  readonly recordsOf: readonly (readonly [namespace: string, records: number])[];
  /** Changes whose document was deleted, or changed again, meanwhile; a later record follows. */
  readonly superseded: number;
  /** Rows that no topic takes, and that are not among the records. */
  readonly refused: readonly RefusedRow[];
  readonly bytes: number;
}

/** A row whose namespace has no topic, or whose record would have so many bytes, more than a topic takes. */
export interface RefusedRow {
  readonly row: number;
  readonly bytes: number;
  readonly limit: number;
}

/** Room for a record beyond its document: the key, the names, the framing. */
const OVERHEAD_BYTES = 512;
const FIRST_BUFFER_BYTES = 1024 * 1024;
/** What a record batch, the envelope and headers add. */
const FRAMING_BYTES = 4096;
/** Below what topics are created with. */
const MAX_RECORD_BYTES = 20 * 1024 * 1024 - FRAMING_BYTES;
/** A key of more characters is measured; for others three bytes each are reserved. */
const LONG_KEY = 1024;
/** A document goes out without what changed where both are larger: a topic takes records of 20 MB. */
const MAX_DESCRIBED_BYTES = 18 * 1024 * 1024;

/** Bytes of UTF-8 that a key takes at most. */
const keyBytes = (key: string): number => (key.length > LONG_KEY ? Buffer.byteLength(key) : key.length * 3);

/** A file's record says what it carries of it. */
const fileHeaders = (state: FileState): Record<string, string> => ({ [FILE_HEADER]: state });

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class RecordEncoder {
  /** Two buffers in turn: one is being sent while the other is written. */
  readonly #buffers = [Buffer.allocUnsafe(FIRST_BUFFER_BYTES), Buffer.allocUnsafe(FIRST_BUFFER_BYTES)];
  #turn = 0;
  /** Where the next byte goes in the buffer of this turn. */
  #at = 0;
  readonly #describer = new UpdateDescriber();
  /** Bytes of the descriptions of the rows that are being encoded. */
  #described = 0;
  /** What the rows that are being encoded changed, by their distance from the first one. */
  readonly #descriptions: (SizedDescription | undefined)[] = [];
  readonly #position: Mutable<{ t: number; i: number; ordinal: number }> = { t: 0, i: 0, ordinal: 0 };
  readonly #event: Mutable<ChangeEvent>;
  readonly #format: ValueFormat;
  readonly #keptBytes: number;

  /** @param keptBytes - of a buffer that is kept for the next batch; one that was larger is given back */
  constructor(format: ValueFormat = 'avro', keptBytes: number = divideMemory().kept) {
    this.#format = format;
    this.#keptBytes = keptBytes;
    this.#event = {
      op: 'insert',
      origin: 'tail',
      namespace: { database: '', collection: '' },
      // Written field by field for each event: the codec reads t, i and ordinal of it and keeps nothing.
      position: this.#position as Position,
      wallTimeMs: 0,
      transaction: null,
      updateDescription: null,
      document: Buffer.alloc(0),
    };
  }

  /**
   * Encodes the rows `[from, to)`. Maintained invariant: records of one key keep their rows' order in one partition (promise B).
   * The result's buffers are valid until the second next call.
   */
  encode(
    batch: ChangeBatch,
    from: number,
    to: number,
    origin: Origin,
    layoutOf: (namespace: TrackedNamespace) => TopicLayout | undefined,
  ): EncodedBatch {
    const out = this.#nextBuffer(batch, from, to);
    const byNamespace: Targets = new Map();
    const refused: RefusedRow[] = [];
    this.#at = 0;
    let [records, superseded, jsonBytes] = [0, 0, 0];
    for (let row = from; row < to; row++) {
      const document = batch.op[row] === 'delete' ? undefined : batch.document[row];
      if (document === undefined && batch.op[row] !== 'delete') {
        superseded += 1;
        continue;
      }
      const namespace = batch.namespace[row] as TrackedNamespace;
      const target = targetOf(namespace, byNamespace, layoutOf);
      if (target === undefined) {
        refused.push({ row, bytes: 0, limit: 0 });
        continue;
      }
      const bytes = keyBytes(batch.key[row] as string) + (batch.document[row]?.length ?? 0);
      const limit = target.maxBytes === undefined ? MAX_RECORD_BYTES : target.maxBytes - FRAMING_BYTES;
      if (bytes > limit) {
        refused.push({ row, bytes, limit });
        continue;
      }
      const keyStart = this.#at;
      this.#at += out.write(batch.key[row] as string, keyStart);
      const key = out.subarray(keyStart, this.#at);
      const partition = partitionOf(out, target.partitions, keyStart, this.#at);
      if (document === undefined) {
        target.messages.push({ key, value: null, partition, headers: this.#tombstone(batch, row, origin) });
      } else {
        const described = batch.op[row] === 'update' ? this.#descriptions[row - from] : undefined;
        const description = described !== undefined && bytes + described.bytes > limit ? undefined : described;
        const event = this.#change(batch, row, batch.op[row] as Operation, origin, document, description);
        const json = this.#format === 'json' ? jsonWithin(event, limit - key.length) : undefined;
        jsonBytes += json?.length ?? 0;
        const value = json ?? this.#writeEvent(event, out, target.header);
        if (namespace.chunks === undefined) target.messages.push({ key, value, partition });
        else target.messages.push({ key, value, partition, headers: fileHeaders(batch.file[row] ?? 'incomplete') });
      }
      records += 1;
    }
    const recordsOf = [...byNamespace].map(([{ name }, { messages }]) => [name, messages.length] as const);
    return { topics: topicsOf(byNamespace), records, recordsOf, superseded, refused, bytes: this.#at + jsonBytes };
  }

  #nextBuffer(batch: ChangeBatch, from: number, to: number): Buffer {
    let needed = 0;
    this.#describer.reset();
    this.#described = 0;
    for (let row = from; row < to; row++) {
      needed += OVERHEAD_BYTES + keyBytes(batch.key[row] as string) + (batch.document[row]?.length ?? 0);
      const transaction = batch.transaction[row];
      if (transaction != null) needed += transaction.id.length;
      if (batch.op[row] === 'update') needed += this.#describe(batch, row, row - from);
    }
    this.#turn = 1 - this.#turn;
    if (needed > this.#keptBytes) return allocateLarge(needed);
    const kept = this.#buffers[this.#turn] as Buffer;
    if (kept.length >= needed) return kept;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#keptBytes, Math.ceil(needed * 1.25)));
    this.#buffers[this.#turn] = larger;
    return larger;
  }

  /** Describes what the update changed, and returns how many bytes that takes in its record. */
  #describe(batch: ChangeBatch, row: number, index: number): number {
    const document = batch.document[row];
    const start = batch.updateStart[row];
    // Paths repeat for every field below them: small updates can name a lot of bytes, and many of them no end of bytes.
    const room = MAX_DESCRIBED_BYTES - keyBytes(batch.key[row] as string);
    const description =
      document === undefined || start === undefined || start < 0 || this.#described >= this.#keptBytes
        ? undefined
        : this.#describer.describe(batch.idSource[row] as Buffer, start);
    const isKept = description !== undefined && document !== undefined && document.length + description.bytes <= room;
    this.#descriptions[index] = isKept ? description : undefined;
    if (!isKept) return 0;
    this.#described += description.bytes;
    return description.bytes;
  }

  #change(
    batch: ChangeBatch,
    row: number,
    op: Operation,
    origin: Origin,
    document: Buffer,
    description: SizedDescription | undefined,
  ): ChangeEvent {
    const event = this.#event;
    event.op = op;
    event.origin = origin;
    event.namespace = batch.namespace[row] as TrackedNamespace;
    this.#position.t = batch.t[row] as number;
    this.#position.i = batch.i[row] as number;
    this.#position.ordinal = batch.ordinal[row] as number;
    event.wallTimeMs = batch.wallTimeMs[row] as number;
    event.transaction = batch.transaction[row] ?? null;
    event.updateDescription = description ?? null;
    event.document = document;
    return event;
  }

  /** Writes what goes into Avro behind what is written already. */
  #writeEvent(event: ChangeEvent, out: Buffer, header: Buffer | undefined): Buffer {
    const start = this.#at;
    this.#at = writeChangeEvent(event, out, start, header);
    return out.subarray(start, this.#at);
  }

  #tombstone(batch: ChangeBatch, row: number, origin: Origin): Record<string, string> {
    const position = new Position(batch.t[row] as number, batch.i[row] as number, batch.ordinal[row] as number);
    const headers = tombstoneHeaders({ position, origin, wallTimeMs: batch.wallTimeMs[row] as number });
    return batch.namespace[row]?.chunks === undefined ? headers : { ...headers, ...fileHeaders('deleted') };
  }
}

type Targets = Map<TrackedNamespace, TopicRecords & TopicLayout>;

/** Where the records of a namespace go; undefined where it has no topic. */
function targetOf(
  namespace: TrackedNamespace,
  targets: Targets,
  layoutOf: (namespace: TrackedNamespace) => TopicLayout | undefined,
): (TopicRecords & TopicLayout) | undefined {
  const known = targets.get(namespace);
  if (known !== undefined) return known;
  const layout = layoutOf(namespace);
  if (layout === undefined) return undefined;
  const target = { ...layout, messages: [] };
  targets.set(namespace, target);
  return target;
}

const topicsOf = (targets: Targets): TopicRecords[] =>
  [...targets.values()].flatMap(({ topic, maxBytes, messages }) =>
    messages.length === 0 ? [] : [{ topic, messages, ...(maxBytes === undefined ? {} : { maxBytes }) }],
  );

/** The event as JSON, unless that is longer: its Avro fits. */
function jsonWithin(event: ChangeEvent, room: number): Buffer | undefined {
  const json = jsonValue(event);
  return json === undefined || json.length > room ? undefined : json;
}
