// Why a coordinator is not found. kafkajs asks one broker after the other and drops what they answer, so a missing right on a group or a
// transactional id looks like a broker that is away, for which a process waits. Asked once more, the answer is kept.
import type { Cluster, Kafka } from 'kafkajs';
import { clusterFactory } from './kafkajs-cluster.js';

const REFUSALS: ReadonlySet<unknown> = new Set(['GROUP_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED']);

type CoordinatorRequest = Parameters<Cluster['findGroupCoordinatorMetadata']>[0];

/** What is used of kafkajs's cluster; its types do not mention it. */
interface AskedCluster {
  readonly brokerPool: { withBroker(ask: (found: { broker: AskedBroker }) => Promise<void>): Promise<unknown> };
}
interface AskedBroker {
  findGroupCoordinator(request: CoordinatorRequest): Promise<unknown>;
}

/** The clients that are made from now on throw the refusal itself. Does nothing when the installed kafkajs is built otherwise. */
export function tellCoordinatorRefusals(kafka: Kafka): void {
  const factory = clusterFactory(kafka);
  if (factory === undefined) return;
  const { create } = factory;
  factory.create = (options) => tellingRefusals(create(options));
}

/** The same cluster. */
function tellingRefusals(cluster: Cluster): Cluster {
  const find = cluster.findGroupCoordinatorMetadata.bind(cluster);
  cluster.findGroupCoordinatorMetadata = async (request) => {
    try {
      return await find(request);
    } catch (error) {
      if ((error as Error).name !== 'KafkaJSGroupCoordinatorNotFound') throw error;
      throw (await refusalOf(cluster as unknown as AskedCluster, request)) ?? error;
    }
  };
  return cluster;
}

async function refusalOf(cluster: AskedCluster, request: CoordinatorRequest): Promise<unknown> {
  let refusal: unknown;
  await cluster.brokerPool.withBroker(async ({ broker }) => {
    try {
      await broker.findGroupCoordinator(request);
    } catch (error) {
      if (REFUSALS.has((error as { readonly type?: unknown }).type)) refusal = error;
    }
  });
  return refusal;
}
