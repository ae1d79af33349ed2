// The topics of namespaces: made before their first records, many in one request, and looked at when they exist. A topic that
// was given more partitions goes on with those that it had (promise B): docs/adr/0025-partitions-are-recorded.md. One that was deleted, whether or not
// another has its name now, is a copy that is gone (promise C).
import { errorCodes, named, TailwaterError, type TopicAdvice, type TopicUse, toCreationError, toKafkaError } from '@tailwater/runtime';
import { MAX_TOPIC_NAME_LENGTH, type Namespace, namespaceOfTopic, topicName } from '@tailwater/schema';
import type { Admin } from 'kafkajs';
import type { TrackedNamespace } from '../changes/change-batch.js';
import type { TopicLayout } from '../encode/record-encoder.js';
import { SIGNALS_LIMITS } from './kafka-small-topics.js';
import { TopicComparison } from './kafka-topic-comparison.js';
import { makeTopics } from './kafka-topic-maker.js';
import type { RecordedTopic } from './recorded-topic.js';
import type { SubjectIds } from './subject-ids.js';
import type { FoundTopics, TopicList } from './topic-list.js';
import { type AskedTopics, findLostTopics, type LostTopics } from './topic-losses.js';
import { CHECKPOINTS, DELETE_RETENTION_MS, DOCUMENTS, type LogUse, smallerBatch } from './topic-settings.js';

export interface TopicSettings {
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

/** Where a namespace's records go. */
export interface UsedTopic {
  readonly namespace: TrackedNamespace;
  readonly topic: RecordedTopic;
}

/** What the brokers are asked by. */
export interface TopicsClients {
  readonly admin: Admin;
  readonly list: Pick<TopicList, 'read' | 'keptSettings' | 'brokers'>;
  /** Where they are, for messages. */
  readonly brokers: string;
}

export interface TopicsContext {
  /** Where a schema registry is used. */
  readonly subjects?: SubjectIds | undefined;
  readonly advice?: TopicAdvice | undefined;
  /** So many topics were created. */
  readonly onMade?: ((count: number) => void) | undefined;
}

export class KafkaTopics {
  readonly #admin: Admin;
  readonly #list: TopicsClients['list'];
  readonly #settings: TopicSettings;
  readonly #brokers: string;
  readonly #context: TopicsContext;
  readonly #comparison: TopicComparison;
  readonly #layouts = new Map<TrackedNamespace, TopicLayout>();
  readonly #used = new Map<TrackedNamespace, RecordedTopic>();
  #recorded: ReadonlyMap<string, RecordedTopic> = new Map();
  #unrecorded: UsedTopic[] = [];
  /** Whose topics are lost, by the last comparison with what was recorded; undefined before the first. */
  #told: ReadonlySet<TrackedNamespace> | undefined;
  /** Of which some broker has told. */
  readonly #seen = new Set<TrackedNamespace>();
  readonly #asked: AskedTopics = { read: (before) => this.#list.read(before), nameOf: (namespace) => this.#topic(namespace) };
  /** What looks at the topic of a namespace, or makes it, at the moment. */
  readonly #ensuring = new Map<TrackedNamespace, Promise<void>>();

  constructor({ admin, list, brokers }: TopicsClients, settings: TopicSettings, context: TopicsContext = {}) {
    this.#admin = admin;
    this.#list = list;
    this.#settings = settings;
    this.#brokers = brokers;
    this.#context = context;
    this.#comparison = new TopicComparison({ admin, list }, context.advice);
  }

  /** @param topics - by namespace: where its records went so far */
  remember(topics: ReadonlyMap<string, RecordedTopic>): void {
    this.#recorded = topics;
  }

  /** What the checkpoint does not know yet, once: to be noted no later than the first records that were divided like this. */
  takeUnrecorded(): UsedTopic[] {
    return this.#unrecorded.splice(0);
  }

  /**
   * Creates the topics that do not exist, checks those that do, and remembers their layouts. What another call has under way is waited for.
   *
   * @throws TailwaterError TW1203 when one exists with settings that would lose data, TW1206 when a name is too long, TW156x when
   *   the schema registry does not answer, or does not take the schema
   */
  async ensure(namespaces: readonly TrackedNamespace[]): Promise<void> {
    let unknown = this.#unknown(namespaces);
    for (const namespace of unknown) this.#expectName(namespace);
    for (let others = this.#othersWork(unknown); others.length > 0; others = this.#othersWork(unknown)) {
      // What it failed at fails here as well, with the error that is this caller's.
      await Promise.allSettled(others);
      unknown = this.#unknown(unknown);
    }
    if (unknown.length === 0) return;
    const work = this.#ensure(unknown);
    for (const namespace of unknown) this.#ensuring.set(namespace, work);
    try {
      await work;
    } finally {
      for (const namespace of unknown) this.#ensuring.delete(namespace);
    }
  }

  async #ensure(unknown: readonly TrackedNamespace[]): Promise<void> {
    try {
      const found = await this.#list.read();
      await this.#expectKept(unknown, found);
      const missing = unknown.filter((namespace) => !found.has(this.#topic(namespace)));
      const { partitions } = this.#settings;
      const names = missing.map((namespace) => this.#topic(namespace));
      const raced = new Set(await this.#make(names, partitions, { 'delete.retention.ms': String(DELETE_RETENTION_MS) }));
      const made = missing.filter((namespace) => !raced.has(this.#topic(namespace)));
      this.#context.onMade?.(made.length);
      const now = missing.length === 0 ? found : await this.#list.read();
      for (const namespace of unknown) if (now.has(this.#topic(namespace))) this.#seen.add(namespace);
      for (const namespace of made) await this.#use(namespace, { partitions, id: now.get(this.#topic(namespace))?.id });
      await this.#comparison.advise(
        DOCUMENTS,
        made.map((namespace) => this.#topic(namespace)),
        now,
      );
      const there = unknown.filter((namespace) => !made.includes(namespace));
      await this.#take(there, now);
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Looks at the topics of these namespaces that exist, and makes none. */
  async find(namespaces: readonly TrackedNamespace[]): Promise<void> {
    const unknown = this.#unknown(namespaces);
    if (unknown.length === 0) return;
    try {
      const found = await this.#list.read();
      const there = unknown.filter((namespace) => found.has(this.#topic(namespace)));
      for (const namespace of there) this.#seen.add(namespace);
      await this.#expectKept(there, found);
      await this.#take(there, found);
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Of these namespaces, those whose topic is lost, by what the checkpoint says of it. One that can have no topic lacks none. */
  async lost(namespaces: readonly TrackedNamespace[]): Promise<LostTopics> {
    try {
      const possible = namespaces.filter((namespace) => this.#topic(namespace).length <= MAX_TOPIC_NAME_LENGTH);
      const lost = await findLostTopics(this.#asked, possible, (namespace) => this.#recorded.get(namespace.name));
      this.#told = new Set([...lost.gone, ...lost.replaced]);
      return lost;
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /**
   * Looks again at the topics in use, and tells of partitions that were added.
   *
   * @throws TailwaterError TW1223 when one of them is lost: the next session makes and fills it
   */
  async look(): Promise<void> {
    const found = await this.#list.read();
    for (const namespace of this.#used.keys()) if (found.has(this.#topic(namespace))) this.#seen.add(namespace);
    const { gone, replaced } = await findLostTopics(this.#asked, [...this.#used.keys()], (namespace) => this.#used.get(namespace), found);
    // Of thousands that are being made a broker that lags knows some seconds later: what no broker has told of yet is not lost.
    this.#expectNone({ gone: gone.filter((namespace) => this.#seen.has(namespace)), replaced });
    const used = [...this.#layouts].flatMap(([namespace, { topic, partitions }]) => {
      const now = found.get(topic);
      // A broker did not know yet what was made.
      if (now?.id !== undefined && this.#used.get(namespace)?.id === undefined) this.#note(namespace, { partitions, id: now.id });
      return now === undefined ? [] : [{ topic, used: partitions, partitions: now.leaders.length }];
    });
    this.#context.advice?.grown(used.filter(({ used, partitions }) => used < partitions));
  }

  nameOf(namespace: Namespace): string {
    return this.#topic(namespace);
  }

  /** The namespaces that have a topic under the prefix, whatever writes to it. */
  async namespaces(): Promise<Namespace[]> {
    const topics = await this.#admin.listTopics();
    return topics.flatMap((topic) => namespaceOfTopic(this.#settings.prefix, topic) ?? []);
  }

  /** The layout of a topic that exists; undefined if it does not exist; it is not created. */
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
      const existing = await this.#make([topic], partitions, config);
      const found = await this.#list.read();
      if (existing.length > 0) await this.#comparison.judge(CHECKPOINTS, [topic], found);
      else await this.#comparison.advise(CHECKPOINTS, [topic], found);
      return found.get(topic)?.leaders.length ?? partitions;
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Creates a topic of one partition that forgets what is old enough, unless it exists. */
  async ensureLog(topic: string, use: LogUse): Promise<void> {
    try {
      const kept = { 'retention.ms': String(use.retentionMs), 'retention.bytes': '-1' };
      await this.#make([topic], 1, { 'cleanup.policy': 'delete', ...kept, ...SIGNALS_LIMITS });
      await this.compare(topic, use);
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  /** Tells of what the topic may lose, where there is one. */
  async compare(topic: string, use: TopicUse): Promise<void> {
    await this.#comparison.advise(use, [topic], await this.#list.read());
  }

  #topic(namespace: Namespace): string {
    return topicName(this.#settings.prefix, namespace);
  }

  #unknown(namespaces: readonly TrackedNamespace[]): TrackedNamespace[] {
    return [...new Set(namespaces.filter((namespace) => !this.#layouts.has(namespace)))];
  }

  #othersWork(namespaces: readonly TrackedNamespace[]): Promise<void>[] {
    return [...new Set(namespaces.flatMap((namespace) => this.#ensuring.get(namespace) ?? []))];
  }

  #expectName(namespace: TrackedNamespace): void {
    const topic = this.#topic(namespace);
    if (topic.length <= MAX_TOPIC_NAME_LENGTH) return;
    throw new TailwaterError(errorCodes.TOPIC_NAME_TOO_LONG, {
      namespace: namespace.name,
      topic,
      length: topic.length,
      limit: MAX_TOPIC_NAME_LENGTH,
    });
  }

  /**
   * The last comparison did not know of these: to make them, or to go on with another, would say that their copies are complete.
   *
   * @throws TailwaterError TW1223 when one of them is lost: the next session decides what becomes of it before it has another topic
   */
  async #expectKept(namespaces: readonly TrackedNamespace[], found: FoundTopics): Promise<void> {
    const told = this.#told;
    if (told === undefined) return;
    const kept = namespaces.filter((namespace) => this.#recorded.has(namespace.name) && !told.has(namespace));
    this.#expectNone(await findLostTopics(this.#asked, kept, (namespace) => this.#recorded.get(namespace.name), found));
  }

  #expectNone({ gone, replaced }: LostTopics): void {
    const lost = [...gone, ...replaced].map((namespace) => this.#topic(namespace));
    if (lost.length > 0) throw new TailwaterError(errorCodes.TOPICS_LOST, { topics: named(lost) });
  }

  /** Goes on with topics that exist. */
  async #take(namespaces: readonly TrackedNamespace[], found: FoundTopics): Promise<void> {
    const topics = namespaces.map((namespace) => {
      const topic = this.#topic(namespace);
      const { leaders, id } = found.get(topic) ?? { leaders: { length: this.#settings.partitions }, id: undefined };
      const partitions = leaders.length;
      const recorded = this.#recorded.get(namespace.name)?.partitions ?? partitions;
      // Fewer than there were: it is another topic.
      return { namespace, topic, partitions, id, used: Math.min(recorded, partitions) };
    });
    const described = await this.#comparison.judge(
      DOCUMENTS,
      topics.map(({ topic }) => topic),
      found,
    );
    this.#context.advice?.grown(topics.filter(({ used, partitions }) => used < partitions));
    const limits = new Map(described.map((each) => [each.topic, smallerBatch(each)]));
    for (const { namespace, topic, used, id } of topics) await this.#use(namespace, { partitions: used, id }, limits.get(topic));
  }

  async #use(namespace: TrackedNamespace, used: RecordedTopic, maxBytes?: number): Promise<void> {
    const topic = this.#topic(namespace);
    const header = await this.#context.subjects?.headerOf(topic);
    this.#layouts.set(namespace, {
      topic,
      partitions: used.partitions,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(header === undefined ? {} : { header }),
    });
    this.#note(namespace, used);
  }

  #note(namespace: TrackedNamespace, used: RecordedTopic): void {
    this.#used.set(namespace, used);
    const recorded = this.#recorded.get(namespace.name);
    const isKnown = recorded?.partitions === used.partitions && (used.id === undefined || recorded.id === used.id);
    if (!isKnown) this.#unrecorded.push({ namespace, topic: used });
  }

  /** Makes topics with what keeps their records. @returns those that existed */
  async #make(topics: readonly string[], partitions: number, config: Readonly<Record<string, string>>): Promise<string[]> {
    const [first] = topics;
    if (first === undefined) return [];
    const shape = { partitions, replicationFactor: this.#settings.replicationFactor };
    try {
      return await makeTopics(this.#admin, topics, { ...shape, config: { ...(await this.#list.keptSettings(first, shape)), ...config } });
    } catch (error) {
      throw await toCreationError(error, { ...shape, topic: first }, this.#brokers, async () => (await this.#list.read()).values());
    }
  }
}
