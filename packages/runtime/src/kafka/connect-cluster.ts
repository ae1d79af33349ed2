// kafkajs's cluster by itself: who leads a partition, and connections to the brokers. It has no other door than the one it opens to whoever
// assigns partitions; nothing of a consumer group is used.
import type { Cluster } from 'kafkajs';
import type { KafkaClient } from './create-kafka.js';
import { toKafkaError } from './kafka-errors.js';

export interface ConnectedCluster {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

/**
 * @param name - in kafkajs's log, and nowhere else
 * @throws the coded error
 */
export async function connectCluster(kafka: KafkaClient, name: string): Promise<ConnectedCluster> {
  let cluster: Cluster | undefined;
  const consumer = kafka.consumer({
    groupId: name,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster;
        return { name: 'none', version: 0, assign: async () => [], protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }) };
      },
    ],
  });
  try {
    await consumer.connect();
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw toKafkaError(error, kafka.brokers);
  }
  return { cluster: cluster as Cluster, close: () => consumer.disconnect() };
}
