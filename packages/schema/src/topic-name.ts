// The topic of a namespace, `<prefix>.<db>.<collection>`, reversibly: a reader of a topic knows its namespace.
import type { Namespace } from './namespace.js';

/** Kafka's own limit on the length of a topic name (org.apache.kafka.common.internals.Topic). */
export const MAX_TOPIC_NAME_LENGTH = 249;

/** A target's dead-letter topic, `<prefix>.<target>.dead-letters`, must not look like a namespace's. */
const RESERVED_COLLECTION = 'dead-letters';

// A byte that Kafka refuses becomes `_xHH_`. A literal `_x` is written `_x5f_x`, so `_x` stands only where an escape begins.
const REFUSED = /_(?=x)|[^A-Za-z0-9._-]+/g;
const ESCAPE = /(?:_x[0-9a-f]{2}_)+/g;
const PREFIX = /^[A-Za-z0-9_-]{1,100}$/;

const escapeBytes = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => `_x${byte.toString(16).padStart(2, '0')}_`).join('');
const escapePart = (text: string): string => text.replace(REFUSED, escapeBytes);
const unescapePart = (text: string): string =>
  text.replace(ESCAPE, (run) => Buffer.from(run.replaceAll('_x', '').replaceAll('_', ''), 'hex').toString('utf8'));

/**
 * Whether `prefix` may begin topic names: letters, digits, `_` and `-`, 100 characters at most. No dot, so that the
 * topics of the prefix `a` are never mistaken for those of a prefix `a.b`.
 */
export function isTopicPrefix(prefix: string): boolean {
  return PREFIX.test(prefix);
}

/**
 * The topic name of a namespace. It may be longer than {@link MAX_TOPIC_NAME_LENGTH}: the caller refuses it then, naming the namespace.
 */
export function topicName(prefix: string, namespace: Namespace): string {
  const collection =
    namespace.collection === RESERVED_COLLECTION ? RESERVED_COLLECTION.replace('-', '_x2d_') : escapePart(namespace.collection);
  return `${prefix}.${escapePart(namespace.database)}.${collection}`;
}

/** The namespace of a topic; undefined for a topic that is not a namespace's under this prefix. */
export function namespaceOfTopic(prefix: string, topic: string): Namespace | undefined {
  if (!topic.startsWith(`${prefix}.`)) return undefined;
  const rest = topic.slice(prefix.length + 1);
  const dot = rest.indexOf('.');
  if (dot <= 0 || dot === rest.length - 1) return undefined;
  const collection = rest.slice(dot + 1);
  if (collection === RESERVED_COLLECTION) return undefined;
  return { database: unescapePart(rest.slice(0, dot)), collection: unescapePart(collection) };
}

/** The compacted topic in which producers keep their checkpoints. */
export const checkpointTopicName = (prefix: string): string => `${prefix}.checkpoints`;

/** The topic of changes that a target refused for good. */
export const deadLetterTopicName = (prefix: string, target: string): string => `${prefix}.${target}.${RESERVED_COLLECTION}`;
