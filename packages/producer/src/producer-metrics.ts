// The producer's counters. Promise E: events read = published + superseded + filtered; everything else that an oplog holds is
// counted by kind. The hot path adds to plain numbers; a scrape copies them.
import type { Metrics } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import type { EncodedBatch } from './encode/record-encoder.js';
import type { NormalizeCounters } from './normalize/normalize-counters.js';

/** A moment's sums, for the status page and the log. */
export interface ProducerCounts {
  readonly entriesRead: number;
  readonly eventsRead: number;
  readonly eventsPublished: number;
  readonly eventsSuperseded: number;
  readonly eventsFiltered: number;
  readonly snapshotRead: number;
  readonly snapshotPublished: number;
  /** Rows that the tail had touched meanwhile: it published them. */
  readonly snapshotSuperseded: number;
  readonly noops: number;
  readonly commands: number;
  readonly unknownEntries: Readonly<Record<string, number>>;
  readonly transactions: number;
}

export class ProducerMetrics {
  readonly #counters: NormalizeCounters;
  readonly #transactionSeconds;
  #entriesRead = 0;
  #published = 0;
  #superseded = 0;
  #snapshotRead = 0;
  #snapshotPublished = 0;
  #snapshotSuperseded = 0;
  #transactions = 0;
  #bytes = 0;
  #tail = new Position(0, 0);

  constructor(metrics: Metrics, counters: NormalizeCounters) {
    this.#counters = counters;
    const observe = (name: string, help: string, read: () => number): void =>
      metrics.observedCounter(`tailwater_producer_${name}_total`, help, read);
    observe('oplog_entries_read', 'Oplog entries read, of any kind and namespace', () => this.#entriesRead);
    observe('events_read', 'Inserts, updates and deletes read from the oplog', () => counters.events);
    observe('events_published', 'Events of the tail committed to Kafka', () => this.#published);
    observe('events_superseded', 'Updates whose document was deleted meanwhile; their tombstones follow', () => this.#superseded);
    observe('events_filtered', 'Events of namespaces that are not included', () => counters.filtered);
    observe('snapshot_documents_read', 'Documents read by snapshots', () => this.#snapshotRead);
    observe('snapshot_documents_published', 'Documents of snapshots committed to Kafka', () => this.#snapshotPublished);
    observe(
      'snapshot_documents_superseded',
      'Documents of snapshots that the tail had published meanwhile',
      () => this.#snapshotSuperseded,
    );
    observe('published_bytes', 'Bytes of keys and values committed to Kafka', () => this.#bytes);
    observe('unknown_entries', 'Oplog entries of kinds that are not understood', () => sum(counters.unknownByKind.values()));
    metrics.observedGauge('tailwater_producer_lag_seconds', 'Age of the newest oplog entry that was read', () =>
      this.#tail.t === 0 ? 0 : Math.max(0, Date.now() / 1000 - this.#tail.t),
    );
    this.#transactionSeconds = metrics.histogram(
      'tailwater_producer_transaction_seconds',
      'From handing a batch to Kafka to its commit',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    );
  }

  tailRead(entries: number, end: Position): void {
    this.#entriesRead += entries;
    this.#tail = end;
  }

  snapshotRead(documents: number, superseded: number): void {
    this.#snapshotRead += documents;
    this.#snapshotSuperseded += superseded;
  }

  /** A batch is in Kafka. */
  committed(origin: 'tail' | 'snapshot' | undefined, encoded: EncodedBatch | undefined, milliseconds: number): void {
    this.#transactions += 1;
    this.#transactionSeconds.observe(milliseconds / 1000);
    if (encoded === undefined) return;
    this.#bytes += encoded.bytes;
    if (origin === 'snapshot') this.#snapshotPublished += encoded.records;
    else {
      this.#published += encoded.records;
      this.#superseded += encoded.superseded;
    }
  }

  counts(): ProducerCounts {
    return {
      entriesRead: this.#entriesRead,
      eventsRead: this.#counters.events,
      eventsPublished: this.#published,
      eventsSuperseded: this.#superseded,
      eventsFiltered: this.#counters.filtered,
      snapshotRead: this.#snapshotRead,
      snapshotPublished: this.#snapshotPublished,
      snapshotSuperseded: this.#snapshotSuperseded,
      noops: this.#counters.noops,
      commands: this.#counters.commands,
      unknownEntries: Object.fromEntries(this.#counters.unknownByKind),
      transactions: this.#transactions,
    };
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
