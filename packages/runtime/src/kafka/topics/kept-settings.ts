// How a topic that is about to be made keeps what it acknowledges (promise A): with three replicas or more, on two brokers at least. How many it will have, and how many
// of them the brokers ask for by themselves, only they know: --replication-factor is theirs by default.
import type { BrokerConnections } from '../protocol/broker-connections.js';
import { readTopics } from '../protocol/cluster-metadata.js';
import { plannedTopic } from '../protocol/planned-topic.js';
import { isWeaklyReplicated, KEPT, MIN_IN_SYNC } from './setting-rules.js';

export interface PlannedShape {
  readonly partitions: number;
  /** -1 leaves it to the brokers. */
  readonly replicationFactor: number;
}

/**
 * The settings that a new topic needs beside the brokers' own. Brokers before 2.4, and those that hide settings from this user, do not tell: then what was asked for counts,
 * and what came of it is seen once the topic is there.
 *
 * @param topic - the name of one that is not there yet
 */
export async function keptSettings(
  connections: BrokerConnections,
  topic: string,
  shape: PlannedShape,
): Promise<Readonly<Record<string, string>>> {
  const { replicas, settings } = (await planned(connections, topic, shape)) ?? { replicas: shape.replicationFactor, settings: new Map() };
  return isWeaklyReplicated(replicas, settings.get(MIN_IN_SYNC)) ? KEPT : {};
}

async function planned(connections: BrokerConnections, topic: string, { partitions, replicationFactor }: PlannedShape) {
  try {
    const { brokers, controller } = await readTopics(await connections.any(), []);
    connections.learn(brokers);
    return await (await connections.node(controller)).send(plannedTopic(topic, partitions, replicationFactor));
  } catch {
    // Making the topic meets the same, and says what it is.
    return undefined;
  }
}
