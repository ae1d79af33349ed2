// Creates the topic of a namespace before its first record, and refuses to write to one whose settings would lose data.
import { sleep, TailwaterError, toKafkaError } from '@tailwater/runtime';
import { MAX_TOPIC_NAME_LENGTH, type Namespace, namespaceOfTopic, topicName } from '@tailwater/schema';
import kafkajs, { type Admin } from 'kafkajs';
import type { TopicLayout } from '../encode/record-encoder.js';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import type { SubjectIds } from './subject-ids.js';

// kafkajs is CommonJS, and Node finds only some of its exports by name.
const { ConfigResourceTypes, KafkaJSAggregateError, KafkaJSProtocolError } = kafkajs;

/** Bytes of the largest record batch: a document of 16 MB, its update description, key and framing. */
const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;
/** How long readers may be away before they miss a tombstone, in milliseconds: 7 days. */
const DELETE_RETENTION_MS = 7 * 24 * 3600 * 1000;
/** How long a record waits for whoever reads a log, in milliseconds: 7 days. */
const LOG_RETENTION_MS = 7 * 24 * 3600 * 1000;
/** A topic that was created has its leaders within this, in milliseconds, or its first record waits for them. */
const LEADERS_MS = 30_000;
const LEADERS_POLL_MS = 50;
const TOPIC_ALREADY_EXISTS = 'TOPIC_ALREADY_EXISTS';

export interface TopicSettings {
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export class KafkaTopics {
  readonly #admin: Admin;
  readonly #settings: TopicSettings;
  readonly #brokers: string;
  readonly #subjects: SubjectIds | undefined;
  readonly #layouts = new Map<TrackedNamespace, TopicLayout>();

  /** @param subjects - where a schema registry is used */
  constructor(admin: Admin, settings: TopicSettings, brokers: string, subjects?: SubjectIds) {
    this.#admin = admin;
    this.#settings = settings;
    this.#brokers = brokers;
    this.#subjects = subjects;
  }

  /**
   * Creates the topic unless it exists, and remembers its layout.
   *
   * @throws TailwaterError TW1203 when it exists with settings that would lose data, TW1206 when its name is too long, TW156x when
   *   the schema registry does not answer, or does not take the schema
   */
  async ensure(namespace: TrackedNamespace): Promise<void> {
    if (this.#layouts.has(namespace)) return;
    const topic = topicName(this.#settings.prefix, namespace);
    if (topic.length > MAX_TOPIC_NAME_LENGTH) {
      throw new TailwaterError('TW1206', { namespace: namespace.name, topic, length: topic.length, limit: MAX_TOPIC_NAME_LENGTH });
    }
    const partitions = await this.ensureTopic(topic, this.#settings.partitions, { 'delete.retention.ms': String(DELETE_RETENTION_MS) });
    const header = await this.#subjects?.headerOf(topic);
    this.#layouts.set(namespace, { topic, partitions, ...(header === undefined ? {} : { header }) });
  }

  /** The namespaces of these whose topic does not exist. */
  async missing(namespaces: readonly TrackedNamespace[]): Promise<TrackedNamespace[]> {
    const existing = new Set(await this.#admin.listTopics());
    return namespaces.filter((namespace) => !existing.has(topicName(this.#settings.prefix, namespace)));
  }

  /** The namespaces that have a topic under the prefix, whoever writes to it. */
  async namespaces(): Promise<Namespace[]> {
    const topics = await this.#admin.listTopics();
    return topics.flatMap((topic) => namespaceOfTopic(this.#settings.prefix, topic) ?? []);
  }

  /** The layout of a topic that exists; undefined where there is none, and none is made. */
  async existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined> {
    if (!this.#layouts.has(namespace)) {
      if ((await this.missing([namespace])).length > 0) return undefined;
      await this.ensure(namespace);
    }
    return this.layoutOf(namespace);
  }

  /** The layout that `ensure` found. */
  layoutOf(namespace: TrackedNamespace): TopicLayout {
    const layout = this.#layouts.get(namespace);
    if (layout === undefined) throw new TypeError(`No topic was ensured for ${namespace.name}`);
    return layout;
  }

  /** Creates a compacted topic unless it exists, checks its settings, and returns its number of partitions. */
  async ensureTopic(topic: string, partitions: number, config: Record<string, string> = {}): Promise<number> {
    try {
      const created = await this.#create(topic, partitions, config);
      if (!created) await this.#check(topic);
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length ?? partitions;
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Creates a topic of one partition that forgets what is older than a week, unless it exists. */
  async ensureLog(topic: string): Promise<void> {
    try {
      await this.#create(topic, 1, { 'cleanup.policy': 'delete', 'retention.ms': String(LOG_RETENTION_MS) });
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  async #create(topic: string, partitions: number, config: Record<string, string>): Promise<boolean> {
    const configEntries = Object.entries({ 'cleanup.policy': 'compact', 'max.message.bytes': String(MAX_MESSAGE_BYTES), ...config });
    try {
      const created = await this.#admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            topic,
            numPartitions: partitions,
            replicationFactor: this.#settings.replicationFactor,
            configEntries: configEntries.map(([name, value]) => ({ name, value })),
          },
        ],
      });
      await this.#untilLed(topic);
      return created;
    } catch (error) {
      const cause = error instanceof KafkaJSAggregateError ? error.errors[0] : error;
      if (cause instanceof KafkaJSProtocolError) {
        if (cause.type === TOPIC_ALREADY_EXISTS) return false;
        if (cause.type === 'INVALID_TOPIC_EXCEPTION')
          throw new TailwaterError('TW1207', { topic, other: await this.#collision(topic) }, { cause });
      }
      throw error;
    }
  }

  /** kafkajs waits for leaders by itself, but gives up where a broker that has just started does not know the topic at once. */
  async #untilLed(topic: string): Promise<void> {
    for (const deadline = performance.now() + LEADERS_MS; performance.now() < deadline; ) {
      const metadata = await this.#admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
      if (metadata?.topics[0]?.partitions.every(({ leader }) => leader >= 0)) return;
      await sleep(LEADERS_POLL_MS);
    }
  }

  /** The existing topic whose name Kafka holds equal: its metrics replace every dot by an underscore. */
  async #collision(topic: string): Promise<string> {
    const flat = (name: string): string => name.replaceAll('.', '_');
    return (await this.#admin.listTopics()).find((name) => flat(name) === flat(topic)) ?? 'unknown';
  }

  async #check(topic: string): Promise<void> {
    const wanted = ['cleanup.policy', 'max.message.bytes'];
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: wanted }],
    });
    const actual = new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
    const policy = actual.get('cleanup.policy') ?? '';
    if (policy !== 'compact') {
      throw new TailwaterError('TW1203', { topic, setting: 'cleanup.policy', actual: policy, expected: 'compact' });
    }
    const bytes = actual.get('max.message.bytes') ?? '0';
    if (Number(bytes) < MAX_MESSAGE_BYTES) {
      throw new TailwaterError('TW1203', { topic, setting: 'max.message.bytes', actual: bytes, expected: MAX_MESSAGE_BYTES });
    }
  }
}
