// The producer's counters. Promise E: events read = published + superseded + filtered + quarantined; everything else that an oplog holds is
// counted by kind. They are moved once a batch, never once an event.
import { type Counter, type Histogram, type Metrics, type MetricsOf, RequestTimes, registerNamespaceCounter } from '@tailwater/runtime';
import { type Origin, Position } from '@tailwater/schema';
import type { EncodedBatch } from '../encode/record-encoder.js';
import type { NormalizeCounters } from '../source/normalize-counters.js';
import { PRODUCER_METRICS } from './metric-table.js';

type Labelled = 'unknownEntries' | 'namespaceRecords';
type CounterName = Exclude<MetricsOf<typeof PRODUCER_METRICS, 'counter'>, Labelled>;

const COUNTERS = Object.entries(PRODUCER_METRICS).filter(([, { kind, ...rest }]) => kind === 'counter' && !('labels' in rest));
/** Namespaces that have a label of their own, unless it is said how many. */
const NAMESPACES = 100;

/** Which counter the records of an origin move. */
const PUBLISHED_BY: Readonly<Record<Origin, CounterName>> = {
  tail: 'eventsPublished',
  snapshot: 'snapshotPublished',
  refresh: 'snapshotPublished',
  sweep: 'sweepPublished',
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
  readonly #transactionRecords: Histogram;
  readonly #recordsOf = new Map<string, number>();
  readonly #sums = Object.fromEntries(COUNTERS.map(([key]) => [key, 0])) as Record<CounterName, number>;
  readonly #unknownSeen = new Map<string, number>();
  #tail = new Position(0, 0);
  /** How long MongoDB takes. */
  readonly mongoTimes = new RequestTimes();

  /** @param namespaces - so many have a label of their own */
  constructor(metrics: Metrics, normalized: NormalizeCounters, namespaces: number = NAMESPACES) {
    this.#normalized = normalized;
    this.#counters = Object.fromEntries(COUNTERS.map(([key, counter]) => [key, metrics.counter(counter)])) as Record<CounterName, Counter>;
    this.#unknown = metrics.counter(PRODUCER_METRICS.unknownEntries);
    metrics.gauge({
      ...PRODUCER_METRICS.positionAge,
      collect: (gauge) => gauge.set(this.#tail.t === 0 ? 0 : Math.max(0, Date.now() / 1000 - this.#tail.t)),
    });
    this.#transactionSeconds = metrics.histogram(PRODUCER_METRICS.transactionSeconds);
    this.#transactionRecords = metrics.histogram(PRODUCER_METRICS.transactionRecords);
    this.mongoTimes.register(metrics, PRODUCER_METRICS.mongoRequestSeconds);
    registerNamespaceCounter(metrics, PRODUCER_METRICS.namespaceRecords, { limit: namespaces, totals: () => this.#recordsOf });
  }

  /** A read of the source was normalized and handed on. */
  tailRead(entries: number, end: Position): void {
    this.#tail = end;
    this.#add('oplogEntriesRead', entries);
    this.#add('eventsRead', this.#normalized.events - this.#sums.eventsRead);
    this.#add('eventsFiltered', this.#normalized.filtered - this.#sums.eventsFiltered);
    for (const [kind, count] of this.#normalized.unknownByKind) {
      this.#unknown.inc({ kind }, count - (this.#unknownSeen.get(kind) ?? 0));
      this.#unknownSeen.set(kind, count);
    }
  }

  snapshotRead(documents: number, superseded: number): void {
    this.#add('snapshotRead', documents);
    this.#add('snapshotSuperseded', superseded);
  }

  sweepRead(records: number): void {
    this.#add('sweepRead', records);
  }

  fileWithoutContent(reason: 'too-large' | 'incomplete'): void {
    this.#add(reason === 'too-large' ? 'filesTooLarge' : 'filesIncomplete', 1);
  }

  sessionBegun(): void {
    this.#add('sessions', 1);
  }

  topicsCreated(count: number): void {
    this.#add('topicsCreated', count);
  }

  gapFound(): void {
    this.#add('gaps', 1);
  }

  /** A batch is in Kafka, by a transaction unless nothing was left of it. */
  committed(transactions: 0 | 1, origin: Origin | undefined, encoded: EncodedBatch | undefined, milliseconds: number): void {
    this.#add('transactions', transactions);
    if (transactions > 0) this.#transactionSeconds.observe(milliseconds / 1000);
    if (encoded === undefined) return;
    if (encoded.records > 0) this.#transactionRecords.observe(encoded.records);
    for (const [namespace, records] of encoded.recordsOf) this.#recordsOf.set(namespace, (this.#recordsOf.get(namespace) ?? 0) + records);
    this.#add('publishedBytes', encoded.bytes);
    this.#add(PUBLISHED_BY[origin ?? 'tail'], encoded.records);
    this.#add(origin === 'tail' ? 'eventsSuperseded' : 'snapshotSuperseded', encoded.superseded);
    this.#add(origin === 'tail' ? 'eventsQuarantined' : 'snapshotQuarantined', encoded.refused.length);
  }

  counts(): ProducerCounts {
    const sums = this.#sums;
    return {
      entriesRead: sums.oplogEntriesRead,
      eventsRead: sums.eventsRead,
      eventsPublished: sums.eventsPublished,
      eventsSuperseded: sums.eventsSuperseded,
      eventsFiltered: sums.eventsFiltered,
      eventsQuarantined: sums.eventsQuarantined,
      snapshotQuarantined: sums.snapshotQuarantined,
      snapshotRead: sums.snapshotRead,
      snapshotPublished: sums.snapshotPublished,
      snapshotSuperseded: sums.snapshotSuperseded,
      filesTooLarge: sums.filesTooLarge,
      filesIncomplete: sums.filesIncomplete,
      sweepRead: sums.sweepRead,
      sweepPublished: sums.sweepPublished,
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
