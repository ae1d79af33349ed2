// The servers that the command line knows by name.
import type { Artifacts } from '../artifacts/artifacts.js';
import { startElasticsearch } from '../elasticsearch/elasticsearch.js';
import { startKafka } from '../kafka/kafka.js';
import { startKafkaCluster } from '../kafka/start-cluster.js';
import { startMongo } from '../mongo/start-mongo.js';
import { startRegistry } from '../registry/registry.js';
import { startSolr } from '../solr/solr.js';

/** A server that is up, and where it answers. */
export interface Endpoint extends AsyncDisposable {
  readonly url: string;
}

export interface NamedServer {
  readonly title: string;
  readonly fetch: (artifacts: Artifacts) => Promise<unknown>;
  readonly start: (options: { readonly artifacts: Artifacts; readonly port?: number }) => Promise<Endpoint>;
}

function endpoint(server: AsyncDisposable, url: string): Endpoint {
  return { url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export const SERVERS = {
  mongo: {
    title: 'MongoDB, a replica set of one',
    fetch: (artifacts) => artifacts.mongod(),
    start: async (options) => {
      const mongo = await startMongo(options);
      return endpoint(mongo, mongo.uri);
    },
  },
  mongo3: {
    title: 'MongoDB, a replica set of three',
    fetch: (artifacts) => artifacts.mongod(),
    start: async (options) => {
      const mongo = await startMongo({ ...options, members: 3 });
      return endpoint(mongo, mongo.uri);
    },
  },
  kafka: {
    title: 'Kafka 4.4',
    fetch: (artifacts) => artifacts.kafka(),
    start: async (options) => {
      const kafka = await startKafka(options);
      return endpoint(kafka, kafka.brokers.join(','));
    },
  },
  kafka3: {
    title: 'Kafka 4.4, three brokers with the settings that people run',
    fetch: (artifacts) => artifacts.kafka(),
    start: async (options) => {
      const kafka = await startKafkaCluster(options);
      return endpoint(kafka, kafka.brokers.join(','));
    },
  },
  es: {
    title: 'Elasticsearch 8.19',
    fetch: (artifacts) => artifacts.elasticsearch(8),
    start: (options) => startElasticsearch({ ...options, version: 8 }),
  },
  es9: {
    title: 'Elasticsearch 9.5 (needs Java 21)',
    fetch: (artifacts) => artifacts.elasticsearch(9),
    start: (options) => startElasticsearch({ ...options, version: 9 }),
  },
  registry: {
    title: 'Apicurio 3.3, a schema registry (needs Java 21)',
    fetch: (artifacts) => artifacts.apicurio(),
    start: startRegistry,
  },
  solr: {
    title: 'Solr 9.10, standalone',
    fetch: (artifacts) => artifacts.solr(),
    start: (options) => startSolr({ ...options, mode: 'standalone' }),
  },
  solrcloud: {
    title: 'Solr 9.10, SolrCloud',
    fetch: (artifacts) => artifacts.solr(),
    start: (options) => startSolr({ ...options, mode: 'cloud' }),
  },
} as const satisfies Record<string, NamedServer>;

export type ServerName = keyof typeof SERVERS;

export const SERVER_NAMES = Object.keys(SERVERS) as ServerName[];
