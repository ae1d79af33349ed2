// kafkajs's errors as ours, recognised by type and code, never by their text.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { tlsFailure } from '../tls/tls-failure.js';

const AUTHENTICATION_TYPES = new Set(['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE']);
// Another producer took over; or the coordinator ended a transaction that took too long, which raises the epoch too. To the versions of the
// requests that kafkajs speaks a broker answers the same for both.
const FENCED_TYPES = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'TRANSACTION_COORDINATOR_FENCED']);
const TOO_LARGE_TYPES = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const REPLICA_TYPES = new Set(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']);
const LEADER_TYPES = new Set(['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION', 'NOT_LEADER_OR_FOLLOWER']);
const AUTHORIZATION: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'topic',
  GROUP_AUTHORIZATION_FAILED: 'consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'transactional id',
};
const UNREACHABLE_NAMES = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
]);

interface KafkajsError extends Error {
  readonly type?: string;
  readonly code?: string | number;
  readonly topic?: string;
}

/**
 * The coded error for what kafkajs threw, or the error itself if it has no code.
 *
 * @param brokers - the addresses for the message, `host:port` separated by commas
 */
export function toKafkaError(error: unknown, brokers: string): unknown {
  const links = [...chain(error)];
  const own = links.find((link) => link instanceof TailwaterError);
  if (own !== undefined) return own;
  for (const link of links) {
    const coded = codeOf(link, brokers, error);
    if (coded !== undefined) return coded;
  }
  return error;
}

function codeOf(link: KafkajsError, brokers: string, cause: unknown): TailwaterError | undefined {
  const type = link.type ?? '';
  const options = { cause };
  if (link.name === 'KafkaJSSASLAuthenticationError' || AUTHENTICATION_TYPES.has(type))
    return new TailwaterError(
      errorCodes.KAFKA_CREDENTIALS_REFUSED,
      { brokers, detail: type === 'ILLEGAL_SASL_STATE' ? ': this listener takes none' : '' },
      options,
    );
  if (FENCED_TYPES.has(type)) return new TailwaterError(errorCodes.PRODUCER_FENCED, { brokers }, options);
  if (TOO_LARGE_TYPES.has(type)) return new TailwaterError(errorCodes.RECORD_TOO_LARGE, { brokers }, options);
  const resource = AUTHORIZATION[type];
  if (resource !== undefined) {
    return new TailwaterError(
      errorCodes.KAFKA_ACCESS_DENIED,
      { brokers, resource: link.topic === undefined ? resource : `${resource} ${link.topic}` },
      options,
    );
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || link.name === 'KafkaJSTopicMetadataNotLoaded') {
    return new TailwaterError(errorCodes.TOPIC_MISSING, { brokers, detail: link.topic === undefined ? '' : `: ${link.topic}` }, options);
  }
  if (REPLICA_TYPES.has(type)) return new TailwaterError(errorCodes.TOO_FEW_IN_SYNC_REPLICAS, { brokers }, options);
  if (LEADER_TYPES.has(type))
    return new TailwaterError(
      errorCodes.LEADERLESS_PARTITION,
      { brokers, topic: link.topic === undefined ? '' : ` of ${link.topic}` },
      options,
    );
  if (type === 'INVALID_REPLICATION_FACTOR') return new TailwaterError(errorCodes.REPLICATION_FACTOR_IMPOSSIBLE, { brokers }, options);
  if (link.name === 'KafkaJSServerDoesNotSupportApiKey') {
    return new TailwaterError(
      errorCodes.KAFKA_TOO_OLD,
      { brokers, feature: 'apiName' in link ? String(link.apiName) : 'a needed request' },
      options,
    );
  }
  const tls = tlsFailure(link);
  if (tls !== undefined) return new TailwaterError(errorCodes.KAFKA_TLS_FAILED, { brokers, reason: tls.reason }, options);
  if (UNREACHABLE_NAMES.has(link.name)) return new TailwaterError(errorCodes.KAFKA_UNREACHABLE, { brokers }, options);
  return undefined;
}

/** Whether what failed is a connection that was there, and that the other end closed. */
export function isHangUp(error: unknown): boolean {
  return [...chain(error)].some(({ name, code }) => name === 'KafkaJSConnectionClosedError' || code === 'ECONNRESET');
}

/** The error and what it wraps: kafkajs puts the real one into `cause`, or into `errors` of an aggregate. */
function* chain(error: unknown): Generator<KafkajsError> {
  let link: unknown = error;
  for (let depth = 0; link instanceof Error && depth < 10; depth += 1) {
    yield link;
    const { cause } = link;
    link = cause ?? ('errors' in link && Array.isArray(link.errors) ? link.errors[0] : undefined);
  }
}
