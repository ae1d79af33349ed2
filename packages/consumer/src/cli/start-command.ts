// `consumer start`: applies the changes of Kafka's topics to a target until it is told to stop.
import { type Command, checkKafka, runServices, startStatusServer } from '@tailwater/runtime';
import { deadLetterTopicName } from '@tailwater/schema';
import { DeadLetterTopic } from '../dead-letters/kafka-dead-letter-topic.js';
import { hasForgottenOffsets } from '../subscribe/kafka-groups.js';
import { assembleConsumer, groupOf, identityOf } from './assemble.js';
import { catchUpDisplay } from './catch-up.js';
import { prepareStart, startOptions } from './prepare-start.js';
import { reporter } from './report.js';
import { openSchemas } from './schemas.js';

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
    const prepared = await prepareStart(given, logger);
    const { listen, name, target, kafka } = prepared;
    const deadLetters = new DeadLetterTopic(kafka, deadLetterTopicName(given.prefix, name), logger.child({ component: 'dead-letters' }));
    try {
      await unfinished.until('connecting to Kafka and the target', Promise.all([checkKafka(kafka, { signal }), target.connect(signal)]));
      await using registry = await openSchemas(given, logger.child({ component: 'registry' }), signal);
      if (given.onError === 'dead-letter') await deadLetters.compare();
      const forgotten = await hasForgottenOffsets(kafka, {
        prefix: given.prefix,
        group: groupOf(given, prepared),
        trace: deadLetters.topic,
      });
      const parts = { deadLetters, schemas: registry.schemas, hasForgottenOffsets: forgotten, logger };
      const { pipeline, watches, metrics, health, status, routes } = assembleConsumer(given, prepared, parts);
      const server = await startStatusServer({ ...listen, logger: logger.child({ component: 'status' }), metrics, health, status, routes });
      const told = { ...identityOf(given, prepared), kafka: kafka.brokers, registry: registry.address, status: server.url };
      logger.info(told, 'Consumer started');
      try {
        const besides = [...watches, reporter(pipeline, logger), catchUpDisplay(pipeline, stderr, logger)];
        await unfinished.until('the pipeline', runServices([pipeline, ...besides], signal));
        logger.info({ ...pipeline.tally }, 'Consumer stopped');
      } finally {
        await unfinished.until('the status server', server.close());
      }
    } finally {
      await unfinished.until('the connection for dead letters', deadLetters.close());
      await unfinished.until('the connections to the target', target.close());
    }
  },
};
