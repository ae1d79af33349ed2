// `consumer start`: applies the changes of Kafka's topics to a target until it is told to stop.
import {
  type Command,
  checkKafka,
  createMetrics,
  type Health,
  kafkaWatch,
  redactAddress,
  registerUp,
  runServices,
  StallWatch,
  startStatusServer,
  systemClock,
} from '@tailwater/runtime';
import { deadLetterTopicName } from '@tailwater/schema';
import { TargetHealth } from '../apply/target-health.js';
import { targetWatch } from '../apply/target-watch.js';
import { DeadLetterCounter } from '../dead-letters/dead-letter-counter.js';
import { DeadLetterGauge } from '../dead-letters/dead-letter-gauge.js';
import { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import { ErrorPolicy } from '../dead-letters/error-policy.js';
import { DeadLetterTopic } from '../dead-letters/kafka-dead-letter-topic.js';
import { ConsumerMetrics } from '../metrics/consumer-metrics.js';
import { Pipeline } from '../pipeline.js';
import { KafkaSubscription } from '../subscribe/kafka.js';
import { offsetsForgotten } from '../subscribe/kafka-groups.js';
import { targetMark } from '../subscribe/target-mark.js';
import { catchUpDisplay } from './catch-up.js';
import { prepareStart, startOptions } from './prepare-start.js';
import { committedOf, describeConsumer, readiness, reporter } from './report.js';
import { openSchemas } from './schemas.js';

const TOPIC_POLL_MS = 3_000;
const COMMIT_INTERVAL_MS = 1_000;
const RETRY = { minMs: 100, maxMs: 5_000 };
const LINGER_MS = 2;
/** Changes are counted as well as bytes, so that very small documents do not fill the memory with objects. */
const BUFFER_CHANGES = 8_000;
const MAX_FETCH_BYTES = 2 * 1024 * 1024;

export const startCommand: Command<typeof startOptions> = {
  name: 'start',
  isService: true,
  takesForeignOptions: true,
  summary: 'Apply the changes in Kafka to a target, and follow them from then on',
  description:
    'Reads the topics of a prefix as one consumer group per target, applies their changes, and commits what is applied. Start as many processes as you like: the partitions divide among them. Stop it with Ctrl-C or SIGTERM; it goes on where it was.',
  options: startOptions,
  examples: [
    ['$0 start --target es --target-url http://127.0.0.1:9200 --kafka 127.0.0.1:9092 --prefix tw', 'follow everything into Elasticsearch'],
    ['$0 start --target solr --target-url http://127.0.0.1:8983/solr/shop --solr-ids namespaced --prefix tw', 'into one Solr core'],
    [
      "$0 start --target mongo --target-url \"$MONGO_URI\" --prefix tw --include 'shop.*' --rename 'shop.*=copy.*'",
      'one database, renamed',
    ],
  ],
  async run(given, { signal, logger, stderr, unfinished }) {
    const { listen, transforming, name, target, kafka } = await prepareStart(given, logger);
    const { rules } = transforming;
    const group = `${given.prefix}.${name}`;
    const identity = { group, target: target.kind, url: redactAddress(given.targetUrl) };
    const mark = targetMark(target.kind, given.targetUrl);
    const sessionTimeoutMs = given.sessionTimeout * 1000;
    const deadLettersLogger = logger.child({ component: 'dead-letters' });
    const deadLetters = new DeadLetterTopic(kafka, deadLetterTopicName(given.prefix, name), deadLettersLogger);
    try {
      await unfinished.until('connecting to Kafka and the target', Promise.all([checkKafka(kafka, { signal }), target.connect(signal)]));
      await using registry = await openSchemas(given, logger.child({ component: 'registry' }), signal);
      if (given.onError === 'dead-letter') await deadLetters.compare();
      const targetHealth = new TargetHealth(systemClock, logger.child({ component: 'apply' }), target.kind);
      const metrics = createMetrics();
      const deadLetterGauge = new DeadLetterGauge(new DeadLetterCounter(kafka, deadLetters.topic), deadLettersLogger);
      const consumerMetrics = new ConsumerMetrics(metrics, () => pipeline, targetHealth, deadLetterGauge);
      const { transform, know } = transforming.for(target);
      const subscription = new KafkaSubscription(
        kafka,
        {
          groupId: group,
          sessionTimeoutMs,
          fetchBytes: Math.min(given.bufferBytes, MAX_FETCH_BYTES),
          topicPollMs: TOPIC_POLL_MS,
          target: { mark, address: identity.url },
          filter: {
            prefix: given.prefix,
            includes: ({ database, collection }) => rules.includes(database, collection),
            onNamespaces: know,
          },
        },
        logger.child({ component: 'subscribe' }),
      );
      const pipeline: Pipeline = new Pipeline(
        {
          subscription,
          target,
          schemas: registry.schemas,
          transform,
          errorPolicy: new ErrorPolicy(
            { writer: new DeadLetterWriter(deadLetters), clock: systemClock, logger: deadLettersLogger },
            given.onError,
            target.kind,
          ),
          hooks: {
            onRetry: (failure) => targetHealth.onRetry(failure),
            onRequest: (request) => {
              consumerMetrics.onRequest(request);
              targetHealth.onRequest(request);
            },
            onWaiting: (namespace, refusal) => targetHealth.onWaiting(namespace, refusal),
            onResumed: (namespace) => targetHealth.onResumed(namespace),
          },
          onFirstCommit: () => {
            if (given.onError !== 'dead-letter') return;
            deadLetters.create().catch((error) => deadLettersLogger.warn({ err: error }, 'The topic of dead letters could not be created'));
          },
          clock: systemClock,
          logger: logger.child({ component: 'pipeline' }),
        },
        {
          prefix: given.prefix,
          apply: {
            lanes: given.inFlight,
            batch: { count: given.batchSize, bytes: given.batchBytes, lingerMs: LINGER_MS },
            buffer: { count: Math.max(BUFFER_CHANGES, given.batchSize * given.inFlight), bytes: given.bufferBytes },
            retry: { ...RETRY, giveUpAfterMs: given.retryFor === 0 ? undefined : given.retryFor * 1000 },
            // Who wants to stop stops at the first one.
            refusalLimit: given.onError === 'stop' ? 0 : given.refusalLimit,
          },
          offsetsForgotten: await offsetsForgotten(kafka, { prefix: given.prefix, group, trace: deadLetters.topic }),
          targetMark: mark,
          commitIntervalMs: COMMIT_INTERVAL_MS,
          releaseGraceMs: Math.min(4_000, sessionTimeoutMs * 0.4),
        },
      );
      const kafkaPeer = kafkaWatch(kafka, logger.child({ component: 'kafka' }));
      const server = targetWatch(target, identity.url, targetHealth, logger.child({ component: 'apply' }));
      const stall = new StallWatch(() => committedOf(pipeline));
      const health = (): Health => readiness(targetHealth, pipeline, kafka.brokers, { kafka: kafkaPeer, server, stall });
      registerUp(metrics, { kafka: () => kafkaPeer.trouble === undefined, target: () => server.trouble === undefined });
      const status = await startStatusServer({
        ...listen,
        logger: logger.child({ component: 'status' }),
        metrics,
        health,
        status: () => describeConsumer(identity, pipeline, targetHealth, deadLetterGauge, health()),
      });
      logger.info({ ...identity, kafka: kafka.brokers, registry: registry.address, status: status.url }, 'Consumer started');
      try {
        await unfinished.until(
          'the pipeline',
          runServices(
            [pipeline, deadLetterGauge, kafkaPeer, server, stall, reporter(pipeline, logger), catchUpDisplay(pipeline, stderr, logger)],
            signal,
          ),
        );
        logger.info({ ...pipeline.tally }, 'Consumer stopped');
      } finally {
        await unfinished.until('the status server', status.close());
      }
    } finally {
      await unfinished.until('the connection for dead letters', deadLetters.close());
      await unfinished.until('the connections to the target', target.close());
    }
  },
};
