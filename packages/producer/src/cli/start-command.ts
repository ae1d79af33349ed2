// `producer start`: tails the oplog and copies the collections into Kafka until it is told to stop.
import {
  type Command,
  checkKafka,
  createMetrics,
  kafkaWatch,
  registerUp,
  runServices,
  StallWatch,
  schemaLookup,
  startStatusServer,
  withBuckets,
} from '@tailwater/runtime';
import { SchemaIds } from '@tailwater/schema';
import { registerSnapshotMetrics } from '../backfill/snapshot/snapshot-metrics.js';
import { SnapshotPlan } from '../backfill/snapshot/snapshot-plan.js';
import { checkSnapshotQueries } from '../backfill/snapshot/snapshot-queries.js';
import { SnapshotReport } from '../backfill/snapshot/snapshot-report.js';
import { tellOfNamespaces } from '../backfill/snapshot/told-at-start.js';
import { CommitPointWatch } from '../headroom/commit-point-watch.js';
import { HeadroomWatch } from '../headroom/headroom-watch.js';
import { ProducerMetrics } from '../metrics/producer-metrics.js';
import { runPipeline } from '../session/producer.js';
import { ProducerState } from '../session/producer-state.js';
import { connectSource } from '../source/mongo/connect.js';
import { checkPrivileges, neededPrivileges, sourceFailure } from '../source/mongo/needed-privileges.js';
import { SourceHealth } from '../source/mongo/source-health.js';
import { logPrimaries } from '../source/mongo/topology-log.js';
import { NormalizeCounters } from '../source/normalize-counters.js';
import { prepareStart, startOptions } from './prepare-start.js';
import { ProgressDisplay } from './progress-display.js';
import { registerSubjects } from './registry.js';
import { describeState, isMongoUp, publishedOf, readiness } from './state-report.js';

export const startCommand: Command<typeof startOptions> = {
  name: 'start',
  isService: true,
  takesForeignOptions: true,
  summary: 'Copy the collections into Kafka and publish every change from then on',
  description:
    'Tails the oplog of a replica set and publishes the changes of each namespace to a Kafka topic of its own. Collections that were not copied yet are copied meanwhile. Stop it with Ctrl-C or SIGTERM; it goes on where it was. Several of one source and prefix: one works, the others stand by and take over when it ends or stops answering.',
  options: startOptions,
  examples: [
    [
      "$0 start --mongo 'mongodb://127.0.0.1:27017/?replicaSet=rs0' --kafka 127.0.0.1:9092 --prefix tw --include 'shop.*'",
      'publish the database shop',
    ],
    ['$0 start --mongo "$MONGO_URI" --include \'shop.*\' --exclude shop.sessions', 'all but one collection'],
  ],
  async run(given, { signal, stderr, logger, unfinished }) {
    const { rules, kafka, startAt, snapshotQueries, listen, registry, access } = prepareStart(given, logger);
    const source = await unfinished.until('connecting to MongoDB', connectSource(given.mongo, given.source, access));
    logPrimaries(source.client, logger.child({ component: 'mongodb' }));
    try {
      const read = withBuckets(given.include, given.exclude, given.gridfs).include;
      const chunks = read.length === 0 ? [] : given.gridfs.map((bucket) => `${bucket}.chunks`);
      const privileges = neededPrivileges(given.source, [...read, ...chunks]);
      await checkPrivileges(source.client, source.address, privileges);
      await checkSnapshotQueries(source.client, snapshotQueries);
      await unfinished.until('connecting to Kafka', checkKafka(kafka, { signal }));
      const registryLogger = logger.child({ component: 'registry' });
      const subjects = registry && (await registerSubjects(registry, source, rules, given.prefix, registryLogger, signal));
      const schemas = new SchemaIds(schemaLookup(registry, registryLogger));
      const metrics = createMetrics();
      const counters = new NormalizeCounters();
      const [state, report] = [new ProducerState(), new SnapshotReport()];
      const producerMetrics = new ProducerMetrics(metrics, counters);
      registerSnapshotMetrics(metrics, report);
      const { client, replicaSet } = source;
      const reading = given.source === 'oplog' ? logger.child({ component: 'oplog' }) : logger.child({ component: 'change-stream' });
      const health = new SourceHealth(reading);
      const watched = { client, replicaSet, isMongos: source.isMongos, position: () => state.session?.position };
      const headroom = new HeadroomWatch(watched, metrics, logger.child({ component: 'headroom' }));
      const working = { client, replicaSet, isWorking: () => state.phase !== 'standby' };
      const commitPoint = new CommitPointWatch(working, health, metrics, logger.child({ component: 'mongodb' }));
      const kafkaPeer = kafkaWatch(kafka, logger.child({ component: 'kafka' }));
      const stall = new StallWatch(() => publishedOf(state, commitPoint));
      const sights = { state, metrics: producerMetrics, report, health, commitPoint, headroom, kafka: kafkaPeer, stall };
      registerUp(metrics, { kafka: () => kafkaPeer.trouble === undefined, mongodb: () => isMongoUp(sights) });
      const status = await startStatusServer({
        ...listen,
        logger: logger.child({ component: 'status' }),
        metrics,
        health: () => readiness(sights),
        status: () => describeState(sights, source),
      });
      logger.info(
        { replicaSet: source.replicaSet, mongodb: source.version, kafka: kafka.brokers, prefix: given.prefix, status: status.url },
        'Producer started',
      );
      try {
        await tellOfNamespaces(source, rules, given.include, logger);
        const plan = new SnapshotPlan(given.snapshot);
        const deps = { source, kafka, subjects, schemas, rules, counters, metrics: producerMetrics, report, plan, state, health, logger };
        const display = new ProgressDisplay({ state, report, metrics: producerMetrics }, stderr, logger);
        const ended = new AbortController();
        const derived = {
          ...withBuckets(given.include, given.exclude, given.gridfs),
          startAt,
          snapshotQueries,
          sessionTimeoutMs: given.sessionTimeout * 1000,
          memoryBudgetBytes: given.memoryBudget * 1024 * 1024,
          maxFileBytes: given.gridfs.length === 0 ? undefined : given.gridfsMaxBytes,
        };
        const pipeline = {
          run: (stop: AbortSignal) => runPipeline(deps, { ...given, ...derived }, stop).finally(() => ended.abort()),
        };
        const besides = [display, headroom, commitPoint, kafkaPeer, stall].map((each) => ({
          run: (stop: AbortSignal) => each.run(AbortSignal.any([stop, ended.signal])),
        }));
        await unfinished.until('the pipeline', runServices([pipeline, ...besides], signal)).catch(async (error: unknown) => {
          throw await sourceFailure(error, client, source.address, privileges);
        });
        logger.info(
          { position: state.session?.position.toString() },
          signal.aborted ? 'Producer stopped' : 'Producer finished: everything is copied',
        );
      } finally {
        await unfinished.until('the status server', status.close());
      }
    } finally {
      await unfinished.until('the connection to the schema registry', Promise.resolve(registry?.close()));
      await unfinished.until('the connections to MongoDB', source.client.close());
    }
  },
};
