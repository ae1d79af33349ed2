// What is asked of Kafka's admin API, of one broker or of several.
// With the mends of kafkajs that the packages have: without them Node 24 warns of its timers on every terminal.
import '@tailwater/runtime';
import { type Admin, Kafka as KafkaClient, logLevel } from 'kafkajs';
import { waitFor } from '../support/wait-for.js';

const REQUEST_TIMEOUT_MS = 5_000;
const TOPIC_TIMEOUT_MS = 30_000;

export interface TopicOptions {
  /** 1 by default. */
  readonly partitions?: number;
  /** Topic configuration: `cleanup.policy`, `max.message.bytes`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** Runs something with an admin client that retries nothing, and disconnects it. */
export async function withAdmin<T>(brokers: readonly string[], work: (admin: Admin) => Promise<T>): Promise<T> {
  const client = new KafkaClient({
    clientId: 'devstack',
    brokers: [...brokers],
    connectionTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = client.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Creates a topic, and returns when every partition has a leader. A topic that exists is left as it is. */
export async function createTopic(
  admin: Admin,
  topic: string,
  { partitions = 1, config = {} }: TopicOptions,
  replicationFactor: number,
): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value: String(value) }));
  // kafkajs waits for leaders by itself, but gives up when a broker that has just started does not know the topic at once.
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }] });
  await waitFor(() => admin.fetchTopicMetadata({ topics: [topic] }), {
    describe: `leaders of all partitions of ${topic}`,
    until: ({ topics }) => topics[0]?.partitions.length === partitions && topics[0].partitions.every(({ leader }) => leader >= 0),
    timeoutMs: TOPIC_TIMEOUT_MS,
  });
}
