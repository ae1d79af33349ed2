// The consumer put together from what was asked for, up to what watches it. Nothing of it runs yet.
import {
  createMetrics,
  type Health,
  KAFKA_REQUEST_SECONDS,
  kafkaWatch,
  type Logger,
  type Metrics,
  type OptionValues,
  redactAddress,
  registerProcess,
  registerUp,
  type Service,
  StallWatch,
  type StatusRoute,
  systemClock,
} from '@tailwater/runtime';
import type { SchemaIds } from '@tailwater/schema';
import { TargetHealth } from '../apply/target-health.js';
import { targetWatch } from '../apply/target-watch.js';
import { DeadLetterCounter } from '../dead-letters/dead-letter-counter.js';
import { DeadLetterGauge } from '../dead-letters/dead-letter-gauge.js';
import { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import { ErrorPolicy } from '../dead-letters/error-policy.js';
import type { DeadLetterTopic } from '../dead-letters/kafka-dead-letter-topic.js';
import { ConsumerMetrics } from '../metrics/consumer-metrics.js';
import { registerWatermark } from '../metrics/watermark-metrics.js';
import { Pipeline, type PipelineOptions, type PipelineParts } from '../pipeline.js';
import { KafkaSubscription } from '../subscribe/kafka.js';
import { targetMark } from '../subscribe/target-mark.js';
import { includesName } from '../watermark/names.js';
import { appliedWatch } from '../watermark/open-watch.js';
import { appliedRoute } from './applied-route.js';
import type { PreparedStart, startOptions } from './prepare-start.js';
import { type ConsumerIdentity, committedOf, describeConsumer, readiness } from './report.js';

const TOPIC_POLL_MS = 3_000;
const COMMIT_INTERVAL_MS = 1_000;
const RETRY = { minMs: 100, maxMs: 5_000 };
const LINGER_MS = 2;
/** Changes are counted as well as bytes, so that very small documents do not fill the memory with objects. */
const BUFFER_CHANGES = 8_000;
const MAX_FETCH_BYTES = 2 * 1024 * 1024;

type Given = OptionValues<typeof startOptions>;

export interface AssembledParts {
  readonly deadLetters: DeadLetterTopic;
  readonly schemas: SchemaIds;
  /** The group was there before, and Kafka has forgotten its offsets. */
  readonly hasForgottenOffsets: boolean;
  readonly logger: Logger;
}

export interface AssembledConsumer {
  readonly pipeline: Pipeline;
  /** What looks on while the pipeline runs. */
  readonly watches: readonly Service[];
  readonly metrics: Metrics;
  readonly health: () => Health;
  readonly status: () => object;
  readonly routes: readonly StatusRoute[];
}

export const groupOf = ({ prefix }: Pick<Given, 'prefix'>, { name }: Pick<PreparedStart, 'name'>): string => `${prefix}.${name}`;

/** How people know it: its target's address is without a password. */
export function identityOf(given: Given, prepared: PreparedStart): ConsumerIdentity {
  return { group: groupOf(given, prepared), target: prepared.target.kind, url: redactAddress(given.targetUrl) };
}

export function assembleConsumer(given: Given, prepared: PreparedStart, parts: AssembledParts): AssembledConsumer {
  const { target, kafka, transforming } = prepared;
  const { deadLetters, schemas, logger } = parts;
  const identity = identityOf(given, prepared);
  const { transform, know } = transforming.for(target);
  const applyLogger = logger.child({ component: 'apply' });
  const targetHealth = new TargetHealth(systemClock, applyLogger, target.kind);
  const metrics = createMetrics({ group: identity.group, target: identity.target });
  const deadLetterGauge = new DeadLetterGauge(new DeadLetterCounter(kafka, deadLetters.topic), logger.child({ component: 'dead-letters' }));
  const consumerMetrics = new ConsumerMetrics(metrics, () => pipeline, targetHealth, deadLetterGauge, {
    prefix: given.prefix,
    namespaces: given.metricsNamespaces,
  });
  const pipeline: Pipeline = new Pipeline(
    {
      subscription: subscriptionOf(given, prepared, know, logger),
      target,
      schemas,
      transform,
      ...deadLettersOf(given, prepared, deadLetters, logger),
      hooks: {
        onRetry: (failure) => targetHealth.onRetry(failure),
        onRequest: (request) => {
          consumerMetrics.onRequest(request);
          targetHealth.onRequest(request);
        },
        onWaiting: (namespace, refusal) => targetHealth.onWaiting(namespace, refusal),
        onResumed: (namespace) => targetHealth.onResumed(namespace),
      },
      clock: systemClock,
      logger: logger.child({ component: 'pipeline' }),
    },
    pipelineOptionsOf(given, target.kind, parts.hasForgottenOffsets),
  );
  const peer = kafkaWatch(kafka, logger.child({ component: 'kafka' }));
  const server = targetWatch(target, identity.url, targetHealth, applyLogger);
  const stall = new StallWatch(() => committedOf(pipeline));
  registerUp(metrics, { kafka: () => peer.trouble === undefined, target: () => server.trouble === undefined });
  const health = (): Health => readiness(targetHealth, pipeline, kafka.brokers, { kafka: peer, server, stall });
  registerProcess(metrics, () => health().ready);
  kafka.times.register(metrics, KAFKA_REQUEST_SECONDS);
  const applied = appliedWatch(
    kafka,
    {
      prefix: given.prefix,
      groupId: identity.group,
      includes: includesName(transforming.rules),
      commit: () => pipeline.commit(),
    },
    logger.child({ component: 'watermark' }),
  );
  registerWatermark(metrics, applied);
  const status = (): object => describeConsumer(identity, pipeline, targetHealth, deadLetterGauge, health(), applied);
  return {
    pipeline,
    watches: [deadLetterGauge, peer, server, stall, applied],
    metrics,
    health,
    status,
    routes: [appliedRoute(identity.group, applied)],
  };
}

function subscriptionOf(
  given: Given,
  prepared: PreparedStart,
  onNamespaces: ReturnType<PreparedStart['transforming']['for']>['know'],
  logger: Logger,
): KafkaSubscription {
  const { target, transforming, kafka } = prepared;
  return new KafkaSubscription(
    kafka,
    {
      groupId: groupOf(given, prepared),
      sessionTimeoutMs: given.sessionTimeout * 1000,
      fetchBytes: Math.min(given.bufferBytes, MAX_FETCH_BYTES),
      topicPollMs: TOPIC_POLL_MS,
      target: { mark: targetMark(target.kind, given.targetUrl), address: redactAddress(given.targetUrl) },
      filter: {
        prefix: given.prefix,
        includes: ({ database, collection }) => transforming.rules.includes(database, collection),
        onNamespaces,
      },
    },
    logger.child({ component: 'subscribe' }),
  );
}

function deadLettersOf(
  given: Given,
  { target }: PreparedStart,
  deadLetters: DeadLetterTopic,
  parent: Logger,
): Required<Pick<PipelineParts, 'errorPolicy' | 'onFirstCommit'>> {
  const logger = parent.child({ component: 'dead-letters' });
  const writer = new DeadLetterWriter(deadLetters);
  return {
    errorPolicy: new ErrorPolicy({ writer, clock: systemClock, logger }, given.onError, target.kind),
    onFirstCommit: () => {
      if (given.onError !== 'dead-letter') return;
      deadLetters.create().catch((error) => logger.warn({ err: error }, 'The topic of dead letters could not be created'));
    },
  };
}

function pipelineOptionsOf(given: Given, targetKind: string, hasForgottenOffsets: boolean): PipelineOptions {
  return {
    prefix: given.prefix,
    apply: {
      lanes: given.inFlight,
      batch: { count: given.batchSize, bytes: given.batchBytes, lingerMs: LINGER_MS },
      buffer: { count: Math.max(BUFFER_CHANGES, given.batchSize * given.inFlight), bytes: given.bufferBytes },
      retry: { ...RETRY, giveUpAfterMs: given.retryFor === 0 ? undefined : given.retryFor * 1000 },
      // To stop means at the first refusal.
      refusalLimit: given.onError === 'stop' ? 0 : given.refusalLimit,
    },
    hasForgottenOffsets,
    targetMark: targetMark(targetKind, given.targetUrl),
    commitIntervalMs: COMMIT_INTERVAL_MS,
    releaseGraceMs: Math.min(4_000, given.sessionTimeout * 400),
  };
}
