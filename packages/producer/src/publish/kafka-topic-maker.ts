// Creates topics, many in one request, and returns when they have leaders.
import { Backoff, errorCodes, TailwaterError } from '@tailwater/runtime';
import kafkajs, { type Admin } from 'kafkajs';
import { MAX_MESSAGE_BYTES } from './topic-settings.js';

// kafkajs is CommonJS, and Node finds only some of its exports by name.
const { KafkaJSAggregateError, KafkaJSProtocolError } = kafkajs;

/** A controller refuses requests for more than 10,000; smaller ones let other requests pass between them. */
const PARTITIONS_PER_REQUEST = 1000;
/** How long the controller may take for one request, in milliseconds. */
const CREATE_TIMEOUT_MS = 30_000;
/** Topics that were created have their leaders within this, in milliseconds, or their first records wait for them. */
const LEADERS_MS = 30_000;
const LEADERS_POLL = { minMs: 20, maxMs: 500, factor: 1.6 };
/** Topics that are asked about at once. */
const ASKED_AT_ONCE = 50;
/**
 * A broker makes two index files of this size for every replica of a partition. Kafka's 10 MiB cost a processor some milliseconds for each as soon as it is written to,
 * which thousands of partitions feel, and disk space on some file systems. This is full behind 340 MB of records or more, and a new segment begins then.
 */
const INDEX_BYTES = 1024 * 1024;

export interface TopicShape {
  readonly partitions: number;
  /** -1 leaves it to the brokers. */
  readonly replicationFactor: number;
  /** Settings beside those that every topic of ours has. */
  readonly config: Readonly<Record<string, string>>;
}

/**
 * Creates compacted topics, all alike, unless they exist.
 *
 * @returns those that existed
 * @throws TailwaterError TW1207 when Kafka takes a name for that of another topic, TW1290 when a policy refuses one
 */
export async function makeTopics(admin: Admin, topics: readonly string[], shape: TopicShape): Promise<string[]> {
  const existing: string[] = [];
  const atOnce = Math.max(1, Math.floor(PARTITIONS_PER_REQUEST / Math.max(1, shape.partitions)));
  for (let from = 0; from < topics.length; from += atOnce) {
    existing.push(...(await create(admin, topics.slice(from, from + atOnce), shape)));
  }
  const made = topics.filter((topic) => !existing.includes(topic));
  if (made.length > 0) await untilLed(admin, made);
  return existing;
}

async function create(admin: Admin, topics: readonly string[], { partitions, replicationFactor, config }: TopicShape): Promise<string[]> {
  const settings = {
    'cleanup.policy': 'compact',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'segment.index.bytes': String(INDEX_BYTES),
    ...config,
  };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  try {
    const isNew = await admin.createTopics({
      waitForLeaders: false,
      timeout: CREATE_TIMEOUT_MS,
      topics: topics.map((topic) => ({ topic, numPartitions: partitions, replicationFactor, configEntries })),
    });
    return isNew ? [] : [...topics];
  } catch (error) {
    if (!(error instanceof KafkaJSAggregateError)) throw error;
    const existing: string[] = [];
    for (const cause of error.errors) {
      const { topic } = cause as unknown as { topic: string };
      const type = cause instanceof KafkaJSProtocolError ? cause.type : undefined;
      if (type === 'INVALID_TOPIC_EXCEPTION')
        throw new TailwaterError(errorCodes.TOPIC_NAME_COLLISION, { topic, other: await collision(admin, topic) }, { cause });
      if (type === 'POLICY_VIOLATION')
        throw new TailwaterError(errorCodes.TOPIC_REFUSED_BY_POLICY, { topic, reason: (cause as Error).message }, { cause });
      if (type !== 'TOPIC_ALREADY_EXISTS') throw cause;
      existing.push(topic);
    }
    return existing;
  }
}

/**
 * kafkajs waits for leaders by itself, but gives up where a broker that has just started does not know the topic at once. Those that are led are not asked about
 * again: brokers that make thousands of partitions have enough to do.
 */
async function untilLed(admin: Admin, topics: readonly string[]): Promise<void> {
  const deadline = performance.now() + LEADERS_MS;
  for (let from = 0; from < topics.length; from += ASKED_AT_ONCE) {
    let unled = topics.slice(from, from + ASKED_AT_ONCE);
    const backoff = new Backoff(LEADERS_POLL);
    while (performance.now() < deadline) {
      const metadata = await admin.fetchTopicMetadata({ topics: unled }).catch(() => undefined);
      const led = new Set(
        metadata?.topics.filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0)).map(({ name }) => name),
      );
      unled = unled.filter((topic) => !led.has(topic));
      if (unled.length === 0) break;
      await backoff.pause();
    }
  }
}

/** The existing topic whose name Kafka holds equal: its metrics replace every dot by an underscore. */
async function collision(admin: Admin, topic: string): Promise<string> {
  const flat = (name: string): string => name.replaceAll('.', '_');
  return (await admin.listTopics()).find((name) => flat(name) === flat(topic)) ?? 'unknown';
}
