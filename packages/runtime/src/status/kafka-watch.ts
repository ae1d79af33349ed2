// Kafka as a server that answers or does not: any broker counts, each time another is asked.

import type { KafkaClient } from '../kafka/create-kafka.js';
import { toKafkaError } from '../kafka/kafka-errors.js';
import { BrokerConnections } from '../kafka/protocol/broker-connections.js';
import { readTopics } from '../kafka/protocol/cluster-metadata.js';
import type { Logger } from '../logging/logger.js';
import { PeerWatch } from './peer-watch.js';

/** Watches it over connections of its own: those of others may be busy with what a broker takes long for. */
export function kafkaWatch(kafka: KafkaClient, logger: Logger): PeerWatch {
  const connections = new BrokerConnections(kafka);
  const ask = async (): Promise<void> => {
    try {
      const { brokers } = await readTopics(await connections.any(), []);
      connections.learn(brokers);
    } catch (error) {
      throw toKafkaError(error, kafka.brokers);
    }
  };
  return new PeerWatch('kafka', `Kafka at ${kafka.brokers}`, { ask, close: () => connections.close(), logger });
}
