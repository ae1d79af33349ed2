// The topics of the prefix that are included, with their partitions and leaders. One request brings all of them, and one topic that is being deleted spoils
// nothing of the others. What one broker takes away another one is asked for.
import { abortable, type Broker, type BrokerConnections, type ClusterMetadata, readMetadata } from '@tailwater/runtime';
import { namespaceOfTopic } from '@tailwater/schema';
import type { TopicFilter } from './kafka-topics.js';
import { KnownTopics, type Topics } from './known-topics.js';

/** So long, in milliseconds, a second broker is waited for: leaders are waited for as well. */
const SECOND_MS = 2_000;

export class TopicCatalog {
  readonly #connections: readonly [BrokerConnections, ...BrokerConnections[]];
  readonly #filter: TopicFilter;
  readonly #known = new KnownTopics();
  #refreshing: Promise<void> | undefined;
  readonly #onRefreshed: (() => void)[] = [];

  /** @param connections those that are told where brokers are; the first is asked */
  constructor(connections: readonly [BrokerConnections, ...BrokerConnections[]], filter: TopicFilter) {
    this.#connections = connections;
    this.#filter = filter;
  }

  /** As of the last {@link refresh}, by name. */
  get topics(): Topics {
    return this.#known.topics;
  }

  leaderOf(topic: string, partition: number): number | undefined {
    return this.topics.get(topic)?.leaders[partition];
  }

  /** How often the partition has had another leader; undefined when the brokers do not tell. */
  leaderEpochOf(topic: string, partition: number): number | undefined {
    const epoch = this.topics.get(topic)?.leaderEpochs?.[partition];
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
    const broker = await this.#connections[0].any();
    const { brokers, topics } = await this.#askOne(broker);
    for (const connections of this.#connections) connections.learn(brokers);
    const isDoubted = this.#known.doubtsOf(topics).length > 0;
    this.#known.learn(topics, isDoubted ? await this.#second(broker) : undefined);
    this.#filter.onNamespaces?.([...this.topics.keys()].flatMap((topic) => namespaceOfTopic(this.#filter.prefix, topic) ?? []));
    for (const told of this.#onRefreshed) told();
  }

  #askOne(broker: Broker): Promise<ClusterMetadata> {
    const { prefix, includes } = this.#filter;
    return readMetadata(broker, (topic) => {
      const namespace = namespaceOfTopic(prefix, topic);
      return namespace !== undefined && includes(namespace);
    });
  }

  /** What another broker says than this one, unless there is no other; undefined when it does not answer. */
  async #second({ nodeId }: Broker): Promise<Topics | undefined> {
    const [connections] = this.#connections;
    const ask = async (): Promise<Topics> => {
      const other = await (nodeId === undefined ? connections.any() : connections.otherThan(nodeId));
      return (await this.#askOne(other)).topics;
    };
    try {
      return await abortable(ask(), AbortSignal.timeout(SECOND_MS));
    } catch {
      return undefined;
    }
  }
}

/** Whether the same topics have as many partitions, and are the same by their ids. */
export function sameTopics(a: Topics, b: Topics): boolean {
  if (a.size !== b.size) return false;
  for (const [topic, { id, leaders }] of a) {
    const other = b.get(topic);
    if (other === undefined || other.id !== id || other.leaders.length !== leaders.length) return false;
  }
  return true;
}
