// The topics of namespaces in the Kafka in memory, with what a session notes of them.
import { type Namespace, parseNamespace } from '@tailwater/schema';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import type { TopicLayout } from '#producer/encode/record-encoder.js';
import type { UsedTopic } from '#producer/publish/kafka-topics.js';
import type { RecordedTopic } from '#producer/publish/recorded-topic.js';
import { compareTopics, type LostTopics } from '#producer/publish/topic-losses.js';
import type { CommittedLog } from './committed-log.js';

export const PREFIX = 'tw.';
export const topicOf = ({ name }: Pick<TrackedNamespace, 'name'>): string => `${PREFIX}${name}`;
const PARTITIONS = 3;

export class ModelTopics {
  readonly #log: CommittedLog;
  readonly #used = new Set<string>();
  #recorded: ReadonlyMap<string, RecordedTopic> = new Map();
  #unrecorded: UsedTopic[] = [];

  constructor(log: CommittedLog) {
    this.#log = log;
  }

  remember(topics: ReadonlyMap<string, RecordedTopic>): void {
    this.#recorded = topics;
  }

  takeUnrecorded(): UsedTopic[] {
    return this.#unrecorded.splice(0);
  }

  async ensure(namespaces: readonly TrackedNamespace[]): Promise<void> {
    for (const namespace of namespaces) {
      this.#log.ensure(topicOf(namespace));
      this.#use(namespace);
    }
  }

  async find(namespaces: readonly TrackedNamespace[]): Promise<void> {
    for (const namespace of namespaces) if (this.#log.has(topicOf(namespace))) this.#use(namespace);
  }

  async existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined> {
    await this.find([namespace]);
    return this.#log.has(topicOf(namespace)) ? this.layoutOf(namespace) : undefined;
  }

  layoutOf(namespace: TrackedNamespace): TopicLayout {
    return { topic: topicOf(namespace), partitions: PARTITIONS };
  }

  async lost(namespaces: readonly TrackedNamespace[]): Promise<LostTopics> {
    const found = new Map(
      this.#log
        .topics()
        .map((topic) => [topic, { topic, id: this.#log.idOf(topic), leaders: Array.from({ length: PARTITIONS }, () => 1), replicas: 1 }]),
    );
    return compareTopics(topicOf, namespaces, ({ name }) => this.#recorded.get(name), found);
  }

  async namespaces(): Promise<Namespace[]> {
    return this.#log.topics().flatMap((topic) => parseNamespace(topic.slice(PREFIX.length)) ?? []);
  }

  async areFilled(namespaces: readonly TrackedNamespace[]): Promise<boolean> {
    return namespaces.some((namespace) => this.#log.read(topicOf(namespace)).length > 0);
  }

  nameOf(namespace: TrackedNamespace): string {
    return topicOf(namespace);
  }

  /** Of the signals, of which there were none. */
  async endOf(): Promise<bigint> {
    return 0n;
  }

  #use(namespace: TrackedNamespace): void {
    if (this.#used.has(namespace.name)) return;
    this.#used.add(namespace.name);
    const topic = { partitions: PARTITIONS, id: this.#log.idOf(topicOf(namespace)) };
    if (this.#recorded.get(namespace.name)?.id !== topic.id) this.#unrecorded.push({ namespace, topic });
  }
}
