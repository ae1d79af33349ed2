// The servers of one pipeline, started and stopped together.
import { type Elasticsearch, startElasticsearch } from './elasticsearch/elasticsearch.js';
import type { ElasticsearchOptions } from './elasticsearch/options.js';
import { type Kafka, startKafka } from './kafka/kafka.js';
import type { KafkaOptions } from './kafka/options.js';
import type { Mongo } from './mongo/mongo.js';
import type { MongoOptions } from './mongo/options.js';
import { startMongo } from './mongo/start-mongo.js';
import type { SolrOptions } from './solr/options.js';
import { type Solr, startSolr } from './solr/solr.js';
import { startAll, stopAll } from './start-all.js';

/** What is named is started; `{}` for its defaults. */
export interface StackOptions {
  readonly mongo?: MongoOptions;
  readonly kafka?: KafkaOptions;
  readonly elasticsearch?: ElasticsearchOptions;
  readonly solr?: SolrOptions;
}

interface Servers {
  readonly mongo: Mongo;
  readonly kafka: Kafka;
  readonly elasticsearch: Elasticsearch;
  readonly solr: Solr;
}

/** The servers that were asked for, and no others. */
export type Stack<O extends StackOptions = Required<StackOptions>> = Pick<Servers, keyof O & keyof Servers> &
  AsyncDisposable & {
    /** Stops all servers and removes their data. */
    stop(): Promise<void>;
  };

/**
 * Starts the named servers at the same time: `const { mongo, kafka, stop } = await startStack({ mongo: {}, kafka: {} })`.
 *
 * @throws as `startMongo`, `startKafka`, `startElasticsearch` and `startSolr` do, with nothing left running
 */
export async function startStack<const O extends StackOptions>(options: O): Promise<Stack<O>> {
  const { mongo, kafka, elasticsearch, solr } = options;
  const servers = await startAll({
    ...(mongo && { mongo: () => startMongo(mongo) }),
    ...(kafka && { kafka: () => startKafka(kafka) }),
    ...(elasticsearch && { elasticsearch: () => startElasticsearch(elasticsearch) }),
    ...(solr && { solr: () => startSolr(solr) }),
  });
  const stop = () => stopAll(Object.values(servers));
  return { ...servers, stop, [Symbol.asyncDispose]: stop } as unknown as Stack<O>;
}
