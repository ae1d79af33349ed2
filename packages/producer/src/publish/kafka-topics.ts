// The topics of namespaces: made before their first records, many in one request, and looked at when they exist. A topic that
// was given more partitions goes on with those that it had (promise B): docs/adr/0025-partitions-are-recorded.md
import { sleep, TailwaterError, toKafkaError } from '@tailwater/runtime';
import { MAX_TOPIC_NAME_LENGTH, type Namespace, namespaceOfTopic, topicName } from '@tailwater/schema';
import kafkajs, { type Admin } from 'kafkajs';
import type { TopicLayout } from '../encode/record-encoder.js';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import { SIGNALS_LIMITS } from './kafka-small-topics.js';
import { makeTopics } from './kafka-topic-maker.js';
import type { SubjectIds } from './subject-ids.js';
import { DELETE_RETENTION_MS, DESCRIBED_SETTINGS, type DescribedTopic, expectCompacted, type TopicAdvice } from './topic-settings.js';

// kafkajs is CommonJS, and Node finds only some of its exports by name.
const { ConfigResourceTypes } = kafkajs;

/** How long a record waits for whoever reads a log, in milliseconds: 7 days. */
const LOG_RETENTION_MS = 7 * 24 * 3600 * 1000;
/** How often topics in use are looked at again, in milliseconds. */
const LOOK_MS = 60_000;
/** Topics whose settings one request asks for. */
const DESCRIBED_AT_ONCE = 250;

export interface TopicSettings {
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

/** Into how many partitions a namespace's keys are divided. */
export interface UsedPartitions {
  readonly namespace: TrackedNamespace;
  readonly partitions: number;
}

export interface TopicsContext {
  /** Where a schema registry is used. */
  readonly subjects?: SubjectIds | undefined;
  readonly advice?: TopicAdvice | undefined;
}

interface FoundTopic {
  readonly partitions: number;
  readonly replicas: number;
}

export class KafkaTopics {
  readonly #admin: Admin;
  readonly #settings: TopicSettings;
  readonly #brokers: string;
  readonly #context: TopicsContext;
  readonly #layouts = new Map<TrackedNamespace, TopicLayout>();
  #recorded: ReadonlyMap<string, number> = new Map();
  #unrecorded: UsedPartitions[] = [];

  constructor(admin: Admin, settings: TopicSettings, brokers: string, context: TopicsContext = {}) {
    this.#admin = admin;
    this.#settings = settings;
    this.#brokers = brokers;
    this.#context = context;
  }

  /** @param partitions - by namespace: into how many partitions its keys were divided so far */
  remember(partitions: ReadonlyMap<string, number>): void {
    this.#recorded = partitions;
  }

  /** What the checkpoint does not know yet, once: to be noted no later than the first records that were divided like this. */
  takeUnrecorded(): UsedPartitions[] {
    return this.#unrecorded.splice(0);
  }

  /**
   * Creates the topics that do not exist, checks those that do, and remembers their layouts.
   *
   * @throws TailwaterError TW1203 when one exists with settings that would lose data, TW1206 when a name is too long, TW156x when
   *   the schema registry does not answer, or does not take the schema
   */
  async ensure(namespaces: readonly TrackedNamespace[]): Promise<void> {
    const unknown = this.#unknown(namespaces);
    if (unknown.length === 0) return;
    for (const namespace of unknown) this.#expectName(namespace);
    try {
      const found = await this.#found();
      const missing = unknown.filter((namespace) => !found.has(this.#topic(namespace)));
      const { partitions, replicationFactor } = this.#settings;
      const shape = { partitions, replicationFactor, config: { 'delete.retention.ms': String(DELETE_RETENTION_MS) } };
      const names = missing.map((namespace) => this.#topic(namespace));
      const raced = new Set(names.length === 0 ? [] : await makeTopics(this.#admin, names, shape));
      const made = missing.filter((namespace) => !raced.has(this.#topic(namespace)));
      for (const namespace of made) await this.#use(namespace, partitions);
      const there = unknown.filter((namespace) => !made.includes(namespace));
      await this.#take(there, raced.size === 0 ? found : await this.#found());
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Looks at the topics of these namespaces that exist, and makes none. */
  async find(namespaces: readonly TrackedNamespace[]): Promise<void> {
    const unknown = this.#unknown(namespaces);
    if (unknown.length === 0) return;
    try {
      const found = await this.#found();
      const there = unknown.filter((namespace) => found.has(this.#topic(namespace)));
      await this.#take(there, found);
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Tells, now and then, of partitions that are added to topics in use. */
  async watch(signal: AbortSignal, everyMs: number = LOOK_MS): Promise<void> {
    for (await sleep(everyMs, signal); !signal.aborted; await sleep(everyMs, signal)) {
      // What Kafka does not say now, it says the next time.
      const found = await this.#found().catch(() => new Map<string, FoundTopic>());
      const used = [...this.#layouts.values()].map(({ topic, partitions }) => ({
        topic,
        used: partitions,
        partitions: found.get(topic)?.partitions ?? 0,
      }));
      this.#context.advice?.grown(used.filter(({ used, partitions }) => used < partitions));
    }
  }

  /** The namespaces of these that have no topic, or another one than they had: it has fewer partitions. One that can have none lacks none. */
  async missing(namespaces: readonly TrackedNamespace[]): Promise<TrackedNamespace[]> {
    const found = await this.#found();
    return namespaces.filter(
      (namespace) =>
        this.#topic(namespace).length <= MAX_TOPIC_NAME_LENGTH &&
        (found.get(this.#topic(namespace))?.partitions ?? 0) < (this.#recorded.get(namespace.name) ?? 1),
    );
  }

  /** The namespaces that have a topic under the prefix, whoever writes to it. */
  async namespaces(): Promise<Namespace[]> {
    const topics = await this.#admin.listTopics();
    return topics.flatMap((topic) => namespaceOfTopic(this.#settings.prefix, topic) ?? []);
  }

  /** The layout of a topic that exists; undefined where there is none, and none is made. */
  async existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined> {
    await this.find([namespace]);
    return this.#layouts.get(namespace);
  }

  /** The offset behind the last record of a topic of one partition. */
  async endOf(topic: string): Promise<bigint> {
    const [offsets] = await this.#admin.fetchTopicOffsets(topic);
    return BigInt(offsets?.high ?? 0);
  }

  /** Whether one of the topics of these namespaces has, or had, records. */
  async areFilled(namespaces: readonly TrackedNamespace[]): Promise<boolean> {
    for (const namespace of namespaces) {
      const offsets = await this.#admin.fetchTopicOffsets(this.#topic(namespace));
      if (offsets.some(({ high }) => high !== '0')) return true;
    }
    return false;
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
      const { replicationFactor } = this.#settings;
      const existing = await makeTopics(this.#admin, [topic], { partitions, replicationFactor, config });
      const found = existing.length === 0 ? undefined : (await this.#found()).get(topic);
      if (found === undefined) return partitions;
      const described = await this.#describe([{ topic, replicas: found.replicas }]);
      for (const each of described) expectCompacted(each);
      // What is asked for here is not advised against.
      const others = ({ settings, ...each }: DescribedTopic): DescribedTopic => ({
        ...each,
        settings: new Map([...settings].filter(([name]) => !Object.hasOwn(config, name))),
      });
      this.#context.advice?.settings('checkpoints', described.map(others));
      return found.partitions;
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Creates a topic of one partition that forgets what is older than a week, or than it is told, unless it exists. */
  async ensureLog(topic: string, retentionMs: number = LOG_RETENTION_MS): Promise<void> {
    try {
      const { replicationFactor } = this.#settings;
      const config = { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs), ...SIGNALS_LIMITS };
      await makeTopics(this.#admin, [topic], { partitions: 1, replicationFactor, config });
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  #topic(namespace: Namespace): string {
    return topicName(this.#settings.prefix, namespace);
  }

  #unknown(namespaces: readonly TrackedNamespace[]): TrackedNamespace[] {
    return [...new Set(namespaces.filter((namespace) => !this.#layouts.has(namespace)))];
  }

  #expectName(namespace: TrackedNamespace): void {
    const topic = this.#topic(namespace);
    if (topic.length <= MAX_TOPIC_NAME_LENGTH) return;
    throw new TailwaterError('TW1206', { namespace: namespace.name, topic, length: topic.length, limit: MAX_TOPIC_NAME_LENGTH });
  }

  /** Every topic that this user sees. */
  async #found(): Promise<Map<string, FoundTopic>> {
    const { topics } = await this.#admin.fetchTopicMetadata();
    return new Map(
      topics.map(({ name, partitions }) => [name, { partitions: partitions.length, replicas: partitions[0]?.replicas.length ?? 0 }]),
    );
  }

  /** Goes on with topics that exist. */
  async #take(namespaces: readonly TrackedNamespace[], found: ReadonlyMap<string, FoundTopic>): Promise<void> {
    const topics = namespaces.map((namespace) => {
      const topic = this.#topic(namespace);
      const { partitions, replicas } = found.get(topic) ?? { partitions: this.#settings.partitions, replicas: 0 };
      const recorded = this.#recorded.get(namespace.name) ?? partitions;
      // Fewer than there were: it is another topic.
      return { namespace, topic, replicas, partitions, used: Math.min(recorded, partitions) };
    });
    const described = await this.#describe(topics);
    for (const each of described) expectCompacted(each);
    this.#context.advice?.settings('documents', described);
    this.#context.advice?.grown(topics.filter(({ used, partitions }) => used < partitions));
    for (const { namespace, used } of topics) await this.#use(namespace, used);
  }

  async #use(namespace: TrackedNamespace, partitions: number): Promise<void> {
    const topic = this.#topic(namespace);
    const header = await this.#context.subjects?.headerOf(topic);
    this.#layouts.set(namespace, { topic, partitions, ...(header === undefined ? {} : { header }) });
    if (this.#recorded.get(namespace.name) !== partitions) this.#unrecorded.push({ namespace, partitions });
  }

  async #describe(topics: readonly { readonly topic: string; readonly replicas: number }[]): Promise<DescribedTopic[]> {
    const described: DescribedTopic[] = [];
    for (let from = 0; from < topics.length; from += DESCRIBED_AT_ONCE) {
      const part = topics.slice(from, from + DESCRIBED_AT_ONCE);
      const { resources } = await this.#admin.describeConfigs({
        includeSynonyms: false,
        resources: part.map(({ topic }) => ({ type: ConfigResourceTypes.TOPIC, name: topic, configNames: DESCRIBED_SETTINGS })),
      });
      const settings = new Map(
        resources.map(({ resourceName, configEntries }) => [
          resourceName,
          new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        ]),
      );
      described.push(...part.map(({ topic, replicas }) => ({ topic, replicas, settings: settings.get(topic) ?? new Map() })));
    }
    return described;
  }
}
