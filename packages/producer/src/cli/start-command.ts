// `producer start`: tails the oplog and copies the collections into Kafka until it is told to stop.
import {
  type Command,
  checkKafka,
  compileNamespaceRules,
  createKafka,
  createMetrics,
  kafkaConnection,
  type Logger,
  runServices,
  startStatusServer,
  statusListen,
  statusOptions,
  TailwaterError,
} from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import { HeadroomWatch } from '../headroom/headroom-watch.js';
import { NormalizeCounters } from '../normalize/normalize-counters.js';
import { runPipeline } from '../pipeline.js';
import { ProducerMetrics } from '../producer-metrics.js';
import { ProducerState } from '../producer-state.js';
import { listCollections } from '../snapshot/collections.js';
import { registerSnapshotMetrics } from '../snapshot/snapshot-metrics.js';
import { SnapshotPlan } from '../snapshot/snapshot-plan.js';
import { checkSnapshotQueries, parseSnapshotQueries } from '../snapshot/snapshot-queries.js';
import { SnapshotReport } from '../snapshot/snapshot-report.js';
import { connectSource, type MongoSource } from '../source/mongo/connect.js';
import { parseStartAt } from '../source/oplog/start-at.js';
import { expectIncluded } from './expect-included.js';
import { namespaceOptions, sourceOptions } from './options.js';
import { ProgressDisplay } from './progress-display.js';
import { snapshotOptions } from './snapshot-options.js';
import { describeState, readiness } from './state-report.js';

const options = {
  ...sourceOptions,
  ...namespaceOptions,
  fullDocument: {
    type: 'string',
    group: 'Source:',
    describe:
      'Where a change stream has the documents of updates from: looked up by the producer in batches; or, from collections with changeStreamPreAndPostImages, as they were right after the update',
    choices: ['lookup', 'when-available'] as const,
    default: 'lookup',
  },
  partitions: { type: 'number', group: 'Kafka:', describe: 'Partitions of topics that are created', default: 8, min: 1, max: 10_000 },
  replicationFactor: {
    type: 'number',
    group: 'Kafka:',
    describe: 'Replicas of topics that are created; -1 leaves it to the brokers',
    default: -1,
    min: -1,
    max: 100,
  },
  sessionTimeout: {
    type: 'number',
    group: 'Kafka:',
    describe: 'Seconds without a sign of life after which a producer that stands by takes over',
    default: 10,
    min: 6,
    max: 1800,
  },
  onGap: {
    type: 'string',
    group: 'Source:',
    describe:
      'When MongoDB has discarded changes that were not read yet: copy every collection again and remove what vanished, or end with an error',
    choices: ['resnapshot', 'stop'] as const,
    default: 'resnapshot',
  },
  acceptCluster: {
    type: 'string',
    group: 'Source:',
    describe: 'The id of a cluster that takes the place of the one before, as after a restore; TW1110 names it',
  },
  ...snapshotOptions,
  ...statusOptions,
} as const;

export const startCommand: Command<typeof options> = {
  name: 'start',
  isService: true,
  summary: 'Copy the collections into Kafka and publish every change from then on',
  description:
    'Tails the oplog of a replica set and publishes the changes of each namespace to a Kafka topic of its own. Collections that were not copied yet are copied meanwhile. Stop it with Ctrl-C or SIGTERM; it goes on where it was. Several of one source and prefix: one works, the others stand by and take over when it ends or stops answering.',
  options,
  examples: [
    [
      "$0 start --mongo 'mongodb://127.0.0.1:27017/?replicaSet=rs0' --kafka 127.0.0.1:9092 --prefix tw --include 'shop.*'",
      'publish the database shop',
    ],
    ['$0 start --mongo "$MONGO_URI" --include \'shop.*\' --exclude shop.sessions', 'all but one collection'],
  ],
  async run(given, { signal, stderr, logger }) {
    if (!isTopicPrefix(given.prefix)) throw new TailwaterError('TW1013', { prefix: given.prefix });
    const rules = compileNamespaceRules({ include: given.include, exclude: given.exclude });
    const startAt = parseStartAt(given.startAt);
    if (startAt === 'earliest' && given.source === 'change-stream') {
      const reason = 'a change stream does not tell where the oplog begins';
      throw new TailwaterError('TW1015', { first: '--start-at earliest', second: '--source change-stream', reason });
    }
    const snapshotQueries = parseSnapshotQueries(given.snapshotQuery);
    for (const namespace of snapshotQueries.keys()) expectIncluded(rules, namespace);
    const listen = statusListen(given, logger);
    const source = await connectSource(given.mongo, given.source);
    try {
      await checkSnapshotQueries(source.client, snapshotQueries);
      const kafka = createKafka(kafkaConnection(given, 'tailwater-producer'), logger.child({ component: 'kafka' }));
      await checkKafka(kafka, { signal });
      const metrics = createMetrics();
      const counters = new NormalizeCounters();
      const [state, report] = [new ProducerState(), new SnapshotReport()];
      const producerMetrics = new ProducerMetrics(metrics, counters);
      registerSnapshotMetrics(metrics, report);
      state.counts = () => producerMetrics.counts();
      state.snapshots = () => ({ totals: report.totals(), collections: report.collections() });
      const { client, replicaSet } = source;
      const watched = { client, replicaSet, isMongos: source.isMongos, position: () => state.position() };
      const watch = new HeadroomWatch(watched, metrics, logger.child({ component: 'headroom' }));
      const status = await startStatusServer({
        ...listen,
        logger: logger.child({ component: 'status' }),
        metrics,
        health: () => readiness(state),
        status: () => describeState(state, source, watch),
      });
      logger.info(
        { replicaSet: source.replicaSet, mongodb: source.version, kafka: kafka.brokers, prefix: given.prefix, status: status.url },
        'Producer started',
      );
      try {
        await warnOfEmptySelection(source, rules, given.include, logger);
        const plan = new SnapshotPlan(given.snapshot);
        const deps = { source, kafka, rules, counters, metrics: producerMetrics, report, plan, state, logger };
        const display = new ProgressDisplay(state, stderr, logger);
        const ended = new AbortController();
        const derived = { startAt, snapshotQueries, sessionTimeoutMs: given.sessionTimeout * 1000 };
        const pipeline = {
          run: (stop: AbortSignal) => runPipeline(deps, { ...given, ...derived }, stop).finally(() => ended.abort()),
        };
        const besides = [display, watch].map((each) => ({ run: (stop: AbortSignal) => each.run(AbortSignal.any([stop, ended.signal])) }));
        await runServices([pipeline, ...besides], signal);
        logger.info(
          { position: state.position()?.toString() },
          signal.aborted ? 'Producer stopped' : 'Producer finished: everything is copied',
        );
      } finally {
        await status.close();
      }
    } finally {
      await source.client.close();
    }
  },
};

async function warnOfEmptySelection(
  source: MongoSource,
  rules: ReturnType<typeof compileNamespaceRules>,
  include: readonly string[],
  logger: Logger,
): Promise<void> {
  if ((await listCollections(source.client, rules)).length > 0) return;
  const patterns = include.length === 0 ? 'all namespaces' : include.join(', ');
  logger.warn(
    { include: patterns },
    'No collection matches the included namespaces yet; it is published as soon as one does. Look for a typo if that surprises you',
  );
}
