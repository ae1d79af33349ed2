// The cluster of a kafkajs client: its connections, with TLS and SASL, without a producer, consumer or admin around them. kafkajs keeps it to itself.
import type { Cluster, Kafka } from 'kafkajs';

const CREATE_CLUSTER = 'private:Kafka:createCluster';

type CreateCluster = (options: object) => Cluster;

/** @throws TypeError when the installed kafkajs is built otherwise */
export function createCluster(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER);
  if (symbol === undefined) throw new TypeError('This version of kafkajs has no cluster to create');
  const create = (kafka as unknown as Record<symbol, CreateCluster>)[symbol] as CreateCluster;
  return create({ allowAutoTopicCreation: false });
}
