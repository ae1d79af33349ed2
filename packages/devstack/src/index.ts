// Real servers without docker, for the demo, the tests and the benchmarks.
export { Artifacts, type JavaProgram } from './artifacts/artifacts.js';
export { hasJdk } from './artifacts/java.js';
export { type Elasticsearch, startElasticsearch } from './elasticsearch/elasticsearch.js';
export type { ElasticsearchOptions, ElasticsearchSettings, RejectionKind } from './elasticsearch/options.js';
export { ChecksumError, DevstackError, MissingPrerequisiteError, ServerStartError, WaitTimeoutError } from './errors.js';
export { type Kafka, startKafka, type TopicOptions } from './kafka/kafka.js';
export type { KafkaOptions } from './kafka/options.js';
export type { MongoMember } from './mongo/member.js';
export type { Mongo } from './mongo/mongo.js';
export type { MongoCredentials, MongoOptions } from './mongo/options.js';
export { startMongo } from './mongo/start-mongo.js';
export type { SolrOptions } from './solr/options.js';
export { type Solr, startSolr } from './solr/solr.js';
export type { Server } from './supervision/server.js';
export { freePort } from './support/free-port.js';
export { type WaitOptions, waitFor } from './support/wait-for.js';
