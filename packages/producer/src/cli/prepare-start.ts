// What the options of `producer start` come to, before any server is asked.
import {
  type CompiledNamespaceRules,
  compileNamespaceRules,
  configOptions,
  createKafka,
  errorCodes,
  type KafkaClient,
  kafkaConnection,
  type Logger,
  type MongoAccess,
  type OptionValues,
  registryOptions,
  type SchemaRegistry,
  statusListen,
  statusOptions,
  TailwaterError,
} from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import { parseSnapshotQueries } from '../backfill/snapshot/snapshot-queries.js';
import { parseStartAt } from '../source/oplog/start-at.js';
import { assertIncluded, assertPublished, assertReadable } from './assert-included.js';
import { namespaceOptions, sourceAccess, sourceOptions } from './options.js';
import { registryFor } from './registry.js';

const { fullDocument, gridfsMaxBytes, onGap, acceptCluster, onRefused, memoryBudget } = configOptions;
const { partitions, replicationFactor, sessionTimeout, shutdownTimeout, valueFormat } = configOptions;
const { snapshot, startAt, snapshotQuery, snapshotOnly, chunkDocuments, snapshotParallel, snapshotRate, snapshotReadPreference } =
  configOptions;

export const startOptions = {
  ...sourceOptions,
  fullDocument,
  ...namespaceOptions,
  gridfsMaxBytes,
  partitions,
  replicationFactor,
  sessionTimeout,
  shutdownTimeout,
  onGap,
  acceptCluster,
  onRefused,
  memoryBudget,
  snapshot,
  startAt,
  snapshotQuery,
  snapshotOnly,
  chunkDocuments,
  snapshotParallel,
  snapshotRate,
  snapshotReadPreference,
  valueFormat,
  ...registryOptions,
  ...statusOptions,
} as const;

export interface PreparedStart {
  readonly rules: CompiledNamespaceRules;
  readonly kafka: KafkaClient;
  readonly startAt: ReturnType<typeof parseStartAt>;
  readonly snapshotQueries: ReturnType<typeof parseSnapshotQueries>;
  readonly listen: ReturnType<typeof statusListen>;
  /** Not asked for anything yet. */
  readonly registry: SchemaRegistry | undefined;
  readonly access: MongoAccess;
}

/** @throws TailwaterError for values that are not usable, alone or together */
export function prepareStart(given: OptionValues<typeof startOptions>, logger: Logger): PreparedStart {
  if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
  const rules = compileNamespaceRules({ include: given.include, exclude: given.exclude, gridfs: given.gridfs });
  assertReadable(given.include, given.source);
  for (const bucket of given.gridfs) assertPublished(rules, bucket);
  const startAt = parseStartAt(given.startAt);
  if (startAt === 'earliest' && given.source === 'change-stream') {
    const reason = 'a change stream does not tell where the oplog begins';
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, {
      first: '--start-at earliest',
      second: '--source change-stream',
      reason,
    });
  }
  if (given.snapshot === 'when-needed' && given.onGap === 'stop') {
    const reason = 'one says that what was lost is to be copied again, the other that it is not';
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, { first: '--snapshot when-needed', second: '--on-gap stop', reason });
  }
  const snapshotQueries = parseSnapshotQueries(given.snapshotQuery);
  for (const namespace of snapshotQueries.keys()) assertIncluded(rules, namespace);
  const listen = statusListen(given, logger);
  const kafka = createKafka(kafkaConnection(given, 'tailwater-producer'), logger.child({ component: 'kafka' }));
  return { rules, kafka, startAt, snapshotQueries, listen, registry: registryFor(given), access: sourceAccess(given) };
}
