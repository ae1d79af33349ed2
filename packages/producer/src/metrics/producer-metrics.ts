// The producer's counters. Promise E: events read = published + superseded + filtered + quarantined; everything else that an oplog holds is
// counted by kind. They are moved once a batch, never once an event.
import type { Counter, Histogram, Metrics } from '@tailwater/runtime';
import { LATENCY_BUCKETS_SECONDS } from '@tailwater/runtime';
import { type Origin, Position } from '@tailwater/schema';
import type { EncodedBatch } from '../encode/record-encoder.js';
import type { NormalizeCounters } from '../source/normalize-counters.js';

const COUNTERS = {
  oplog_entries_read: 'Oplog entries read, of any kind and namespace',
  events_read: 'Inserts, updates and deletes read from the oplog',
  events_published: 'Events of the tail committed to Kafka',
  events_superseded: 'Updates whose document was deleted meanwhile; their tombstones follow',
  events_filtered: 'Events of namespaces that are not included',
  events_quarantined: 'Events that Kafka does not take, committed to the dead letters',
  snapshot_documents_read: 'Documents read by snapshots',
  snapshot_documents_published: 'Documents of snapshots committed to Kafka',
  snapshot_documents_superseded: 'Documents of snapshots that the tail had published meanwhile',
  snapshot_documents_quarantined: 'Documents of snapshots that Kafka does not take, committed to the dead letters',
  gridfs_files_too_large: 'Times that a file was published without its content, which is over the limit',
  gridfs_files_incomplete: 'Times that a file was published without its content, of which the source lacked chunks',
  sweep_records_read: 'Records of topics read by sweeps',
  sweep_tombstones_published: 'Tombstones committed to Kafka for documents that the source no longer had',
  gaps: 'Times that the source no longer held the checkpoint',
  published_bytes: 'Bytes of keys and values committed to Kafka',
  transactions: 'Kafka transactions committed',
} as const;

type CounterName = keyof typeof COUNTERS;

/** Which counter the records of an origin move. */
const PUBLISHED_BY: Readonly<Record<Origin, CounterName>> = {
  tail: 'events_published',
  snapshot: 'snapshot_documents_published',
  refresh: 'snapshot_documents_published',
  sweep: 'sweep_tombstones_published',
};

/** A moment's sums, for the status and the log. */
export interface ProducerCounts {
  readonly entriesRead: number;
  readonly eventsRead: number;
  readonly eventsPublished: number;
  readonly eventsSuperseded: number;
  readonly eventsFiltered: number;
  /** What Kafka does not take: it is among the dead letters. */
  readonly eventsQuarantined: number;
  readonly snapshotQuarantined: number;
  readonly snapshotRead: number;
  readonly snapshotPublished: number;
  /** Rows that the tail had touched meanwhile: it published them. */
  readonly snapshotSuperseded: number;
  /** Files that were published without their contents. */
  readonly filesTooLarge: number;
  readonly filesIncomplete: number;
  readonly sweepRead: number;
  readonly sweepPublished: number;
  readonly noops: number;
  readonly commands: number;
  readonly unknownEntries: Readonly<Record<string, number>>;
  readonly transactions: number;
}

export class ProducerMetrics {
  readonly #normalized: NormalizeCounters;
  readonly #counters: Readonly<Record<CounterName, Counter>>;
  readonly #unknown: Counter<'kind'>;
  readonly #transactionSeconds: Histogram;
  readonly #sums = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Record<CounterName, number>;
  readonly #unknownSeen = new Map<string, number>();
  #tail = new Position(0, 0);

  constructor(metrics: Metrics, normalized: NormalizeCounters) {
    this.#normalized = normalized;
    this.#counters = Object.fromEntries(
      Object.entries(COUNTERS).map(([name, help]) => [name, metrics.counter({ name: `tailwater_producer_${name}_total`, help })]),
    ) as Record<CounterName, Counter>;
    this.#unknown = metrics.counter({
      name: 'tailwater_producer_unknown_entries_total',
      help: 'Oplog entries of kinds that are not understood',
      labels: ['kind'],
    });
    metrics.gauge({
      name: 'tailwater_producer_position_age_seconds',
      help: 'Age of the newest oplog entry that was read',
      collect: (gauge) => gauge.set(this.#tail.t === 0 ? 0 : Math.max(0, Date.now() / 1000 - this.#tail.t)),
    });
    this.#transactionSeconds = metrics.histogram({
      name: 'tailwater_producer_transaction_seconds',
      help: 'From handing a batch to Kafka to its commit',
      buckets: LATENCY_BUCKETS_SECONDS,
    });
  }

  /** A read of the source was normalized and handed on. */
  tailRead(entries: number, end: Position): void {
    this.#tail = end;
    this.#add('oplog_entries_read', entries);
    this.#add('events_read', this.#normalized.events - this.#sums.events_read);
    this.#add('events_filtered', this.#normalized.filtered - this.#sums.events_filtered);
    for (const [kind, count] of this.#normalized.unknownByKind) {
      this.#unknown.inc({ kind }, count - (this.#unknownSeen.get(kind) ?? 0));
      this.#unknownSeen.set(kind, count);
    }
  }

  snapshotRead(documents: number, superseded: number): void {
    this.#add('snapshot_documents_read', documents);
    this.#add('snapshot_documents_superseded', superseded);
  }

  sweepRead(records: number): void {
    this.#add('sweep_records_read', records);
  }

  fileWithoutContent(reason: 'too-large' | 'incomplete'): void {
    this.#add(reason === 'too-large' ? 'gridfs_files_too_large' : 'gridfs_files_incomplete', 1);
  }

  gapFound(): void {
    this.#add('gaps', 1);
  }

  /** A batch is in Kafka, by a transaction unless nothing was left of it. */
  committed(transactions: 0 | 1, origin: Origin | undefined, encoded: EncodedBatch | undefined, milliseconds: number): void {
    this.#add('transactions', transactions);
    if (transactions > 0) this.#transactionSeconds.observe(milliseconds / 1000);
    if (encoded === undefined) return;
    this.#add('published_bytes', encoded.bytes);
    this.#add(PUBLISHED_BY[origin ?? 'tail'], encoded.records);
    this.#add(origin === 'tail' ? 'events_superseded' : 'snapshot_documents_superseded', encoded.superseded);
    this.#add(origin === 'tail' ? 'events_quarantined' : 'snapshot_documents_quarantined', encoded.refused.length);
  }

  counts(): ProducerCounts {
    const sums = this.#sums;
    return {
      entriesRead: sums.oplog_entries_read,
      eventsRead: sums.events_read,
      eventsPublished: sums.events_published,
      eventsSuperseded: sums.events_superseded,
      eventsFiltered: sums.events_filtered,
      eventsQuarantined: sums.events_quarantined,
      snapshotQuarantined: sums.snapshot_documents_quarantined,
      snapshotRead: sums.snapshot_documents_read,
      snapshotPublished: sums.snapshot_documents_published,
      snapshotSuperseded: sums.snapshot_documents_superseded,
      filesTooLarge: sums.gridfs_files_too_large,
      filesIncomplete: sums.gridfs_files_incomplete,
      sweepRead: sums.sweep_records_read,
      sweepPublished: sums.sweep_tombstones_published,
      noops: this.#normalized.noops,
      commands: this.#normalized.commands,
      unknownEntries: Object.fromEntries(this.#normalized.unknownByKind),
      transactions: sums.transactions,
    };
  }

  #add(name: CounterName, value: number): void {
    if (value <= 0) return;
    this.#sums[name] += value;
    this.#counters[name].inc(value);
  }
}
