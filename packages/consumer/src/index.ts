// The consumer as a library: what the CLI, the tests and the benchmarks put together.
export type { ApplyHooks, RetryPolicy } from './apply/apply-hooks.js';
export type { Delivery, Outcome } from './apply/delivery.js';
export type { BatchLimits } from './apply/delivery-queue.js';
export { Lanes, type LanesOptions } from './apply/lanes.js';
export type { Change, FileContent } from './changes/change.js';
export { Tally } from './metrics/tally.js';
export { Pipeline, type PipelineOptions, type PipelineParts } from './pipeline.js';
export { KafkaSubscription, type KafkaSubscriptionOptions } from './subscribe/kafka.js';
export type { FetchedBatch, FetchedRecord, Subscription, SubscriptionListener } from './subscribe/subscription.js';
export { type ElasticsearchOptions, ElasticsearchTarget } from './targets/elasticsearch/elasticsearch.js';
export type { Held, Inventory } from './targets/inventory.js';
export { MongoTarget, type MongoTargetOptions } from './targets/mongo/mongo.js';
export { type SolrOptions, SolrTarget } from './targets/solr/solr.js';
export {
  APPLIED,
  type ChangeResult,
  type CreateTarget,
  SUPERSEDED,
  TARGET_API_VERSION,
  type Target,
  type TargetOptions,
} from './targets/target.js';
export { Destinations } from './transform/destinations.js';
export { createTransform, type Transform, type TransformParts } from './transform/transform.js';
