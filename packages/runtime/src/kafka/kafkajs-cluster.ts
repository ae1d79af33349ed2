// How a kafkajs client makes its clusters, which hold its connections, with TLS and SASL. kafkajs keeps that to itself: this is the only place that finds it.
import type { Cluster, Kafka } from 'kafkajs';

const CREATE_CLUSTER = 'private:Kafka:createCluster';

type CreateCluster = (options: unknown) => Cluster;

/** How this client makes clusters; undefined when the installed kafkajs is built otherwise. */
export function clusterFactory(kafka: Kafka): { create: CreateCluster } | undefined {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER);
  if (symbol === undefined) return undefined;
  const client = kafka as unknown as Record<symbol, CreateCluster>;
  return {
    get create() {
      return client[symbol] as CreateCluster;
    },
    set create(create: CreateCluster) {
      client[symbol] = create;
    },
  };
}

/**
 * A cluster without a producer, consumer or admin around it.
 *
 * @throws TypeError when the installed kafkajs is built otherwise
 */
export function createCluster(kafka: Kafka): Cluster {
  const factory = clusterFactory(kafka);
  if (factory === undefined) throw new TypeError('This version of kafkajs has no cluster to create');
  return factory.create({ allowAutoTopicCreation: false });
}

/** Makes something of this client's that has one cluster, and tells which; undefined when the installed kafkajs is built otherwise. */
export function withCluster<T>(kafka: Kafka, make: () => T): { readonly made: T; readonly cluster: Cluster | undefined } {
  const factory = clusterFactory(kafka);
  if (factory === undefined) return { made: make(), cluster: undefined };
  const { create } = factory;
  let cluster: Cluster | undefined;
  factory.create = (options) => {
    cluster = create(options);
    return cluster;
  };
  try {
    return { made: make(), cluster };
  } finally {
    factory.create = create;
  }
}
