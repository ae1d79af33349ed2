// `producer start`: tails the oplog and copies the collections into Kafka until it is told to stop.
import { type Command, checkKafka, runServices, schemaLookup, startStatusServer, withBuckets } from '@tailwater/runtime';
import { SchemaIds } from '@tailwater/schema';
import { warnAboutNamespaces } from '../backfill/snapshot/namespace-warnings.js';
import { SnapshotPlan } from '../backfill/snapshot/snapshot-plan.js';
import { checkSnapshotQueries } from '../backfill/snapshot/snapshot-queries.js';
import { runPipeline } from '../session/producer.js';
import { connectSource } from '../source/mongo/connect.js';
import { checkPrivileges, neededPrivileges, sourceFailure } from '../source/mongo/needed-privileges.js';
import { logPrimaries } from '../source/mongo/topology-log.js';
import { prepareStart, startOptions } from './prepare-start.js';
import { ProgressDisplay } from './progress-display.js';
import { registerSubjects } from './registry.js';
import { describeState, readiness } from './state-report.js';
import { pipelineOptionsOf, watchedProducer } from './watched-producer.js';

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
    const prepared = prepareStart(given, logger);
    const { rules, kafka, snapshotQueries, listen, registry, access } = prepared;
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
      const { sights, metrics, counters, watches } = watchedProducer(given, source, kafka, logger);
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
        await warnAboutNamespaces(source, rules, given.include, logger);
        const plan = new SnapshotPlan(given.snapshot);
        const { state, report, metrics: producerMetrics, health } = sights;
        const deps = { source, kafka, subjects, schemas, rules, counters, metrics: producerMetrics, report, plan, state, health, logger };
        const ended = new AbortController();
        const pipeline = {
          run: (stop: AbortSignal) => runPipeline(deps, pipelineOptionsOf(given, prepared), stop).finally(() => ended.abort()),
        };
        const besides = [new ProgressDisplay(sights, stderr, logger), ...watches].map((each) => ({
          run: (stop: AbortSignal) => each.run(AbortSignal.any([stop, ended.signal])),
        }));
        await unfinished.until('the pipeline', runServices([pipeline, ...besides], signal)).catch(async (error: unknown) => {
          throw await sourceFailure(error, source.client, source.address, privileges);
        });
        logger.info(
          { position: sights.state.session?.position.toString() },
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
