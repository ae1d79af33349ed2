// The topic of a namespace, `<prefix>.<db>.<collection>`, reversibly: a reader of a topic knows its namespace.
import type { Namespace } from './namespace.js';

/** Kafka's own limit on the length of a topic name (org.apache.kafka.common.internals.Topic). */
export const MAX_TOPIC_NAME_LENGTH = 249;

/** What the collection of no namespace's topic ends with: a target's dead letters are in `<prefix>.<target>.dead-letters`. */
const RESERVED_ENDING = 'dead-letters';

// A byte that may not stand in a name becomes `_xHH_`. Kafka refuses a topic whose name differs from another's only in
// `.` and `_` (org.apache.kafka.common.internals.Topic.hasCollision), so `shop.eu_orders`, `shop.eu.orders` and
// `shop_eu.orders` need names that differ in more. Hence dots only separate the three parts, a database has no literal `_`, and
// what would read as an escape where `_` or a separator precedes it begins with one: names stay apart with `.` read as `_`.
const REFUSED_IN_DATABASE = /[^A-Za-z0-9-]+/g;
const REFUSED_IN_COLLECTION = /_(?=x)|^x(?=[0-9a-f]{2}[^A-Za-z0-9-])|(?<=dead)-(?=letters$)|[^A-Za-z0-9_-]+/g;
const ESCAPE = /(?:_x[0-9a-f]{2}_)+/g;
const PREFIX = /^[A-Za-z0-9_-]{1,100}$/;

const escapeBytes = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => `_x${byte.toString(16).padStart(2, '0')}_`).join('');
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
  const database = namespace.database.replace(REFUSED_IN_DATABASE, escapeBytes);
  return `${prefix}.${database}.${namespace.collection.replace(REFUSED_IN_COLLECTION, escapeBytes)}`;
}

/** The namespace of a topic; undefined for a topic that is not a namespace's under this prefix. */
export function namespaceOfTopic(prefix: string, topic: string): Namespace | undefined {
  if (!topic.startsWith(`${prefix}.`)) return undefined;
  const [database, collection] = topic.slice(prefix.length + 1).split('.');
  if (!database || !collection) return undefined;
  const namespace = { database: unescapePart(database), collection: unescapePart(collection) };
  // Only the names that `topicName` gives: no second topic may claim the namespace, and a dead-letter topic is not one.
  return topicName(prefix, namespace) === topic ? namespace : undefined;
}

/** The compacted topic in which producers keep their checkpoints. */
export const checkpointTopicName = (prefix: string): string => `${prefix}.checkpoints`;

/** The topic in which a running producer is asked for something. */
export const signalsTopicName = (prefix: string): string => `${prefix}.signals`;

/** The topic of changes that a target refused for good. */
export const deadLetterTopicName = (prefix: string, target: string): string => `${prefix}.${target}.${RESERVED_ENDING}`;
