// The consumer's numbers for Prometheus. The hot path counts in the tally; a scrape copies it.
import { type Counter, type Histogram, type Metrics, registerNamespaceCounter } from '@tailwater/runtime';
import { formatNamespace, namespaceOfTopic } from '@tailwater/schema';
import type { TargetHealth } from '../apply/target-health.js';
import type { PartitionProgress } from '../commit/progress.js';
import type { DeadLetterGauge } from '../dead-letters/dead-letter-gauge.js';
import type { GroupView } from '../subscribe/subscription.js';
import type { Target } from '../targets/target.js';
import { CONSUMER_METRICS } from './metric-table.js';
import type { Tally } from './tally.js';

type Count = Exclude<keyof Tally, 'end' | 'appliedOf'>;
type Dropped = 'droppedValues' | 'droppedFields';

const COUNTS: readonly Count[] = [
  'read',
  'applied',
  'superseded',
  'filtered',
  'deadLettered',
  'skipped',
  'returned',
  'control',
  'bytes',
  'requests',
  'retries',
];
/** What the target could not take of documents that it did take. */
const DROPPED: readonly Dropped[] = ['droppedValues', 'droppedFields'];

/** What is measured of a pipeline. */
export interface Measured {
  readonly buffered: { readonly count: number; readonly bytes: number };
  readonly partitions: Iterable<Pick<PartitionProgress, 'topic' | 'lag' | 'missed'>>;
  readonly waiting: readonly unknown[];
  readonly unreadable: readonly unknown[];
  readonly group: Pick<GroupView, 'leaderless' | 'isMember' | 'rebalances'>;
  readonly tally: Tally;
  readonly target: Pick<Target, Dropped>;
}

export interface ConsumerMetricsOptions {
  readonly prefix: string;
  /** So many namespaces have a label of their own. */
  readonly namespaces: number;
}

export class ConsumerMetrics {
  readonly #batchChanges: Histogram;
  readonly #requestSeconds: Histogram;

  /** @param pipeline answers with the pipeline as soon as there is one */
  constructor(
    metrics: Metrics,
    pipeline: () => Measured | undefined,
    health: Pick<TargetHealth, 'failingMs'>,
    deadLetters: Pick<DeadLetterGauge, 'last'>,
    { prefix, namespaces }: ConsumerMetricsOptions,
  ) {
    registerCounts(metrics, pipeline);
    registerNamespaceCounter(metrics, CONSUMER_METRICS.namespaceApplied, {
      limit: namespaces,
      totals: () => [...(pipeline()?.tally.appliedOf ?? [])].map(([topic, applied]) => [namespaceName(prefix, topic), applied]),
    });
    registerGauges(metrics, pipeline);
    metrics.gauge({ ...CONSUMER_METRICS.targetFailing, collect: (gauge) => gauge.set(health.failingMs / 1000) });
    metrics.gauge({
      ...CONSUMER_METRICS.deadLetters,
      collect: (gauge) => {
        if (deadLetters.last === undefined) gauge.remove();
        else gauge.set(deadLetters.last.count);
      },
    });
    this.#batchChanges = metrics.histogram(CONSUMER_METRICS.batchChanges);
    this.#requestSeconds = metrics.histogram(CONSUMER_METRICS.requestSeconds);
  }

  onRequest(request: { readonly changes: number; readonly seconds: number }): void {
    this.#batchChanges.observe(request.changes);
    this.#requestSeconds.observe(request.seconds);
  }
}

function registerCounts(metrics: Metrics, pipeline: () => Measured | undefined): void {
  const copied = new Map<Counter, number>();
  const copy = (counter: Counter, count: number): void => {
    counter.inc(count - (copied.get(counter) ?? 0));
    copied.set(counter, count);
  };
  // A registry reads its metrics in the order in which they were made: this gauge is first, and brings the counters up to date.
  metrics.gauge({
    ...CONSUMER_METRICS.bufferedChanges,
    collect: (gauge) => {
      const current = pipeline();
      if (current === undefined) return;
      gauge.set(current.buffered.count);
      for (const key of COUNTS) copy(metrics.counter(CONSUMER_METRICS[key]), current.tally[key]);
      for (const key of DROPPED) copy(metrics.counter(CONSUMER_METRICS[key]), current.target[key] ?? 0);
      copy(rebalances, current.group.rebalances);
    },
  });
  const rebalances = metrics.counter(CONSUMER_METRICS.rebalances);
  for (const key of [...COUNTS, ...DROPPED]) metrics.counter(CONSUMER_METRICS[key]);
}

function namespaceName(prefix: string, topic: string): string {
  const namespace = namespaceOfTopic(prefix, topic);
  return namespace === undefined ? topic : formatNamespace(namespace);
}

function registerGauges(metrics: Metrics, pipeline: () => Measured | undefined): void {
  const { bufferedBytes, member, partitions, lag, missedDeletes, waitingNamespaces, unreadable, leaderless } = CONSUMER_METRICS;
  const isMissed = ({ missed }: Pick<PartitionProgress, 'missed'>): boolean => missed !== undefined;
  metrics.gauge({ ...bufferedBytes, collect: (gauge) => gauge.set(pipeline()?.buffered.bytes ?? 0) });
  metrics.gauge({ ...member, collect: (gauge) => gauge.set(pipeline()?.group.isMember === true ? 1 : 0) });
  metrics.gauge({ ...partitions, collect: (gauge) => gauge.set([...(pipeline()?.partitions ?? [])].length) });
  metrics.gauge({
    ...lag,
    collect: (gauge) => {
      gauge.reset();
      for (const { topic, lag } of pipeline()?.partitions ?? []) gauge.inc({ topic }, lag);
    },
  });
  metrics.gauge({ ...missedDeletes, collect: (gauge) => gauge.set([...(pipeline()?.partitions ?? [])].filter(isMissed).length) });
  metrics.gauge({ ...waitingNamespaces, collect: (gauge) => gauge.set(pipeline()?.waiting.length ?? 0) });
  metrics.gauge({ ...unreadable, collect: (gauge) => gauge.set(pipeline()?.unreadable.length ?? 0) });
  metrics.gauge({ ...leaderless, collect: (gauge) => gauge.set(pipeline()?.group.leaderless.length ?? 0) });
}
