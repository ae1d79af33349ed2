// What a producer counts and what looks on while it works: made before its pipeline, since a status must be there from the beginning.
import {
  createMetrics,
  KAFKA_REQUEST_SECONDS,
  type KafkaClient,
  kafkaWatch,
  type Logger,
  type Metrics,
  type OptionValues,
  registerProcess,
  registerUp,
  type Service,
  StallWatch,
  withBuckets,
} from '@tailwater/runtime';
import { registerSnapshotMetrics } from '../backfill/snapshot/snapshot-metrics.js';
import { SnapshotReport } from '../backfill/snapshot/snapshot-report.js';
import { PHASES } from '../election/lead.js';
import { CommitPointWatch } from '../headroom/commit-point-watch.js';
import { HeadroomWatch } from '../headroom/headroom-watch.js';
import { PRODUCER_METRICS } from '../metrics/metric-table.js';
import { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { PipelineOptions } from '../session/options.js';
import { ProducerState } from '../session/producer-state.js';
import type { MongoSource } from '../source/mongo/connect.js';
import { SourceHealth } from '../source/mongo/source-health.js';
import { NormalizeCounters } from '../source/normalize-counters.js';
import type { PreparedStart, startOptions } from './prepare-start.js';
import { isMongoUp, type PeerWatches, publishedOf, readiness } from './state-report.js';

type Given = OptionValues<typeof startOptions>;

export interface WatchedProducer {
  readonly sights: PeerWatches;
  readonly metrics: Metrics;
  readonly counters: NormalizeCounters;
  readonly watches: readonly Service[];
}

export function watchedProducer(given: Given, source: MongoSource, kafka: KafkaClient, logger: Logger): WatchedProducer {
  const { client, replicaSet, isMongos } = source;
  const metrics = createMetrics({ prefix: given.prefix });
  const counters = new NormalizeCounters();
  const [state, report] = [new ProducerState(), new SnapshotReport()];
  registerSnapshotMetrics(metrics, report);
  const health = new SourceHealth(logger.child({ component: given.source === 'oplog' ? 'oplog' : 'change-stream' }));
  const watched = { client, replicaSet, isMongos, position: () => state.session?.position };
  const headroom = new HeadroomWatch(watched, metrics, logger.child({ component: 'headroom' }));
  const producerMetrics = new ProducerMetrics(metrics, counters, given.metricsNamespaces);
  const working = { client, replicaSet, isWorking: () => state.phase !== 'standby', times: producerMetrics.mongoTimes };
  const commitPoint = new CommitPointWatch(working, health, metrics, logger.child({ component: 'mongodb' }));
  const peer = kafkaWatch(kafka, logger.child({ component: 'kafka' }));
  const stall = new StallWatch(() => publishedOf(state, commitPoint, isMongos));
  const sights = { state, metrics: producerMetrics, report, health, commitPoint, headroom, kafka: peer, stall };
  registerUp(metrics, { kafka: () => peer.trouble === undefined, mongodb: () => isMongoUp(sights) });
  registerProcess(metrics, () => readiness(sights).ready);
  kafka.times.register(metrics, KAFKA_REQUEST_SECONDS);
  metrics.gauge({
    ...PRODUCER_METRICS.phase,
    collect: (gauge) => {
      for (const phase of PHASES) gauge.set({ phase }, state.phase === phase ? 1 : 0);
    },
  });
  return { sights, metrics, counters, watches: [headroom, commitPoint, peer, stall] };
}

/** What the pipeline needs of the options, in its own units. */
export function pipelineOptionsOf(given: Given, { startAt, snapshotQueries }: PreparedStart): PipelineOptions {
  return {
    ...given,
    ...withBuckets(given.include, given.exclude, given.gridfs),
    startAt,
    snapshotQueries,
    sessionTimeoutMs: given.sessionTimeout * 1000,
    memoryBudgetBytes: given.memoryBudget * 1024 * 1024,
    maxFileBytes: given.gridfs.length === 0 ? undefined : given.gridfsMaxBytes,
  };
}
