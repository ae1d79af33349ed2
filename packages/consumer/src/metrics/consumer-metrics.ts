// The consumer's numbers for Prometheus. The hot path counts in the tally; a scrape copies it.
import { LATENCY_BUCKETS_SECONDS, type Metrics } from '@tailwater/runtime';
import type { TargetHealth } from '../apply/target-health.js';
import type { LetterWatch } from '../dead-letters/letter-watch.js';
import type { Pipeline } from '../pipeline.js';
import type { Target } from '../targets/target.js';
import type { Tally } from './tally.js';

type Count = Exclude<keyof Tally, 'end'>;

const COUNTERS: readonly (readonly [Count, `tailwater_consumer_${string}_total`, string])[] = [
  [
    'read',
    'tailwater_consumer_changes_read_total',
    'Changes read from Kafka: applied + superseded + filtered + dead-lettered + skipped + returned + buffered',
  ],
  ['applied', 'tailwater_consumer_changes_applied_total', 'Changes that the target accepted'],
  [
    'superseded',
    'tailwater_consumer_changes_superseded_total',
    'Changes older than what the target holds, or than another of the same batch',
  ],
  ['filtered', 'tailwater_consumer_changes_filtered_total', 'Changes that the transform left nothing of'],
  [
    'deadLettered',
    'tailwater_consumer_changes_dead_lettered_total',
    'Changes put aside because the target refuses them, or nobody can decode them',
  ],
  ['skipped', 'tailwater_consumer_changes_skipped_total', 'The same, with --on-error skip: they are nowhere'],
  [
    'returned',
    'tailwater_consumer_changes_returned_total',
    'Changes given back unapplied with their partition; the next owner reads them again',
  ],
  ['control', 'tailwater_consumer_control_records_total', 'Records that tell readers something and are no changes'],
  ['bytes', 'tailwater_consumer_document_bytes_total', 'Bytes of the documents read'],
  ['requests', 'tailwater_consumer_requests_total', 'Requests that the target answered'],
  ['retries', 'tailwater_consumer_retries_total', 'Batches, or parts of one, that were tried again'],
];

/** What the target could not take of documents that it did take. */
const DROPPED: readonly (readonly ['droppedValues' | 'droppedFields', `tailwater_consumer_${string}_total`, string])[] = [
  [
    'droppedValues',
    'tailwater_consumer_values_dropped_total',
    'NaN and infinite numbers left out of documents, which the target cannot say',
  ],
  [
    'droppedFields',
    'tailwater_consumer_fields_dropped_total',
    'Values left out of documents because the target’s schema has no field for them',
  ],
];

const BATCH_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

export class ConsumerMetrics {
  readonly #batchChanges;
  readonly #requestSeconds;

  /** @param pipeline answers with the pipeline as soon as there is one */
  constructor(metrics: Metrics, pipeline: () => Pipeline | undefined, health: TargetHealth, letters: Pick<LetterWatch, 'last'>) {
    // A registry reads its metrics in the order in which they were made: this gauge is first, and brings the counters up to date.
    const copied = new Map<Count, number>();
    const dropped = new Map<keyof Target, number>();
    metrics.gauge({
      name: 'tailwater_consumer_buffered_changes',
      help: 'Changes read and not yet applied',
      collect: (gauge) => {
        const current = pipeline();
        if (current === undefined) return;
        gauge.set(current.buffered.count);
        for (const [key, name, help] of DROPPED) {
          const count = current.target[key] ?? 0;
          metrics.counter({ name, help }).inc(count - (dropped.get(key) ?? 0));
          dropped.set(key, count);
        }
        for (const [key, name, help] of COUNTERS) {
          metrics.counter({ name, help }).inc(current.tally[key] - (copied.get(key) ?? 0));
          copied.set(key, current.tally[key]);
        }
      },
    });
    for (const [, name, help] of COUNTERS) metrics.counter({ name, help });
    metrics.gauge({
      name: 'tailwater_consumer_buffered_bytes',
      help: 'Bytes read and not yet applied',
      collect: (gauge) => gauge.set(pipeline()?.buffered.bytes ?? 0),
    });
    metrics.gauge({
      name: 'tailwater_consumer_lag_records',
      help: 'Records of the assigned partitions that are not applied yet',
      labels: ['topic'],
      collect: (gauge) => {
        gauge.reset();
        for (const { topic, lag } of pipeline()?.partitions ?? []) gauge.inc({ topic }, lag);
      },
    });
    metrics.gauge({
      name: 'tailwater_consumer_missed_deletes_partitions',
      help: 'Partitions of which deletes may have been missed, because the group was away for longer than they are kept',
      collect: (gauge) => gauge.set([...(pipeline()?.partitions ?? [])].filter(({ missed }) => missed !== undefined).length),
    });
    metrics.gauge({
      name: 'tailwater_consumer_target_failing_seconds',
      help: 'For how long the target has taken nothing; 0 while it takes changes',
      collect: (gauge) => gauge.set(health.failingMs / 1000),
    });
    metrics.gauge({
      name: 'tailwater_consumer_waiting_namespaces',
      help: 'Namespaces of which the target takes nothing while it takes those of others',
      collect: (gauge) => gauge.set(pipeline()?.waiting.length ?? 0),
    });
    metrics.gauge({
      name: 'tailwater_consumer_unreadable_partitions',
      help: 'Partitions of this process that wait at a record which it cannot read, and another release or a schema registry may',
      collect: (gauge) => gauge.set(pipeline()?.unreadable.length ?? 0),
    });
    metrics.gauge({
      name: 'tailwater_consumer_leaderless_partitions',
      help: 'Partitions of this process that no broker leads: nothing can be read of them',
      collect: (gauge) => gauge.set(pipeline()?.group.leaderless.length ?? 0),
    });
    metrics.gauge({
      name: 'tailwater_consumer_dead_letters',
      help: 'Dead letters of the target, whichever process put them aside; absent while not known',
      collect: (gauge) => {
        if (letters.last === undefined) gauge.remove();
        else gauge.set(letters.last.count);
      },
    });
    for (const [, name, help] of DROPPED) metrics.counter({ name, help });
    this.#batchChanges = metrics.histogram({
      name: 'tailwater_consumer_batch_changes',
      help: 'Changes per request',
      buckets: BATCH_BUCKETS,
    });
    this.#requestSeconds = metrics.histogram({
      name: 'tailwater_consumer_request_seconds',
      help: 'From sending a batch to the answer of the target',
      buckets: LATENCY_BUCKETS_SECONDS,
    });
  }

  onRequest(request: { readonly changes: number; readonly seconds: number }): void {
    this.#batchChanges.observe(request.changes);
    this.#requestSeconds.observe(request.seconds);
  }
}
