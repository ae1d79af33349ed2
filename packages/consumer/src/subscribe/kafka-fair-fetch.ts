// Fair reading: a broker fills a fetch with the partitions in the order of the request until its bytes are used up, and
// kafkajs always asks in the same order, so under a backlog the last partitions would not be read before the first are at
// their end. Other clients begin each request with another partition (KIP-74); so does this.
import type { Cluster } from 'kafkajs';

interface TopicRequest {
  readonly partitions: readonly unknown[];
}

/** What is used of kafkajs's broker; its types do not mention it. */
interface FetchingBroker {
  fetch(request: { topics: readonly TopicRequest[] }): Promise<unknown>;
}

/** The elements, beginning with the one at `start` and going round. */
export function rotated<T>(elements: readonly T[], start: number): readonly T[] {
  const first = elements.length === 0 ? 0 : start % elements.length;
  return first === 0 ? elements : [...elements.slice(first), ...elements.slice(0, first)];
}

/** Has every broker of the cluster be asked for partitions in another order each time. */
export function fetchFairly(cluster: Cluster): void {
  const fair = new WeakSet<object>();
  const findBroker = cluster.findBroker.bind(cluster);
  cluster.findBroker = async (node) => {
    const broker = await findBroker(node);
    if (!fair.has(broker)) {
      fair.add(broker);
      rotateFetches(broker as unknown as FetchingBroker);
    }
    return broker;
  };
}

function rotateFetches(broker: FetchingBroker): void {
  const fetch = broker.fetch.bind(broker);
  let turn = 0;
  broker.fetch = (request) => {
    turn += 1;
    const topics = rotated(request.topics, turn).map((topic) => ({ ...topic, partitions: rotated(topic.partitions, turn) }));
    return fetch({ ...request, topics });
  };
}
