// The topics of the prefix that are included, with their partitions and leaders. One request brings all of them, and one topic that is being deleted spoils
// nothing of the others.
import { type BrokerConnections, readMetadata, type TopicPartitions } from '@tailwater/runtime';
import { namespaceOfTopic } from '@tailwater/schema';
import type { TopicFilter } from './kafka-topics.js';

export class TopicCatalog {
  readonly #connections: readonly [BrokerConnections, ...BrokerConnections[]];
  readonly #filter: TopicFilter;
  #topics: ReadonlyMap<string, TopicPartitions> = new Map();
  #refreshing: Promise<void> | undefined;
  readonly #onRefreshed: (() => void)[] = [];

  /** @param connections those that are told where brokers are; the first is asked */
  constructor(connections: readonly [BrokerConnections, ...BrokerConnections[]], filter: TopicFilter) {
    this.#connections = connections;
    this.#filter = filter;
  }

  /** As of the last {@link refresh}, by name. */
  get topics(): ReadonlyMap<string, TopicPartitions> {
    return this.#topics;
  }

  leaderOf(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.leaders[partition];
  }

  /** How often the partition has had another leader; undefined when the brokers do not tell. */
  leaderEpochOf(topic: string, partition: number): number | undefined {
    const epoch = this.#topics.get(topic)?.leaderEpochs?.[partition];
    return epoch === undefined || epoch < 0 ? undefined : epoch;
  }

  /** Listeners are told when leaders may have moved. */
  onRefreshed(listener: () => void): void {
    this.#onRefreshed.push(listener);
  }

  /** Asks a broker; calls that come meanwhile share the answer. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const [asked] = this.#connections;
    const { prefix, includes, onNamespaces } = this.#filter;
    const { brokers, topics } = await readMetadata(await asked.any(), (topic) => {
      const namespace = namespaceOfTopic(prefix, topic);
      return namespace !== undefined && includes(namespace);
    });
    for (const connections of this.#connections) connections.learn(brokers);
    onNamespaces?.([...topics.keys()].flatMap((topic) => namespaceOfTopic(prefix, topic) ?? []));
    this.#topics = topics;
    for (const told of this.#onRefreshed) told();
  }
}

/** Whether the same topics have as many partitions, and are the same by their ids. */
export function sameTopics(a: ReadonlyMap<string, TopicPartitions>, b: ReadonlyMap<string, TopicPartitions>): boolean {
  if (a.size !== b.size) return false;
  for (const [topic, { id, leaders }] of a) {
    const other = b.get(topic);
    if (other === undefined || other.id !== id || other.leaders.length !== leaders.length) return false;
  }
  return true;
}
