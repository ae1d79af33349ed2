// Starts a Kafka of several brokers.
import { join } from 'node:path';
import { Artifacts } from '../artifacts/artifacts.js';
import { stopAll } from '../start-all.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';
import { KafkaBroker } from './broker.js';
import { type ClusterNode, KafkaCluster } from './cluster.js';
import {
  type BrokerPlace,
  type BrokerProxy,
  brokerProperties,
  clientListener,
  FAST_COMPACTION,
  type KafkaClusterOptions,
  newClusterId,
} from './options.js';

/**
 * Starts three brokers, each a controller too, with the settings that people run: every topic, also Kafka's own, has three
 * replicas, of which two must be in sync. Returns when all are in the cluster.
 *
 * @throws {MissingPrerequisiteError} when Java 17 or Maven is missing
 * @throws {ServerStartError} with the end of the log, when one does not come up
 */
export async function startKafkaCluster<P extends BrokerProxy = BrokerProxy>(
  options: KafkaClusterOptions<P> = {},
): Promise<KafkaCluster<P>> {
  const program = await (options.artifacts ?? new Artifacts()).kafka();
  const supervisor = await Supervisor.launch('kafka');
  const nodes: ClusterNode<P>[] = [];
  try {
    const places: BrokerPlace[] = [];
    for (let nodeId = 1; nodeId <= (options.brokers ?? 3); nodeId++) {
      const port = nodeId === 1 && options.port !== undefined ? options.port : await freePort();
      places.push({ nodeId, port, controllerPort: await freePort() });
    }
    const clusterId = newClusterId();
    for (const place of places) {
      const { listener, proxy } = await clients(options);
      const plain = brokerProperties(place, places);
      const properties = {
        ...plain,
        ...(listener === undefined || proxy === undefined ? {} : clientListener(plain, listener, proxy.port)),
        ...(options.fastCompaction === true ? FAST_COMPACTION : {}),
        ...options.properties,
      };
      const name = `kafka-${place.nodeId}`;
      const own = { name, nodeId: place.nodeId, port: place.port, directory: join(supervisor.directory, name) };
      const broker = new KafkaBroker({ ...own, clusterId, program, supervisor, heapMb: options.heapMb ?? 384, properties });
      nodes.push({ broker, proxy });
    }
    const cluster = new KafkaCluster(nodes, supervisor);
    await cluster.start();
    return cluster;
  } catch (error) {
    await stopAll(nodes.flatMap(({ proxy }) => proxy ?? []));
    await supervisor.close();
    throw error;
  }
}

/** The port of the broker's own that clients are led to, and what leads them there. */
async function clients<P extends BrokerProxy>({ proxy }: KafkaClusterOptions<P>): Promise<{ listener?: number; proxy: P | undefined }> {
  if (proxy === undefined) return { proxy: undefined };
  const listener = await freePort();
  return { listener, proxy: await proxy(listener) };
}
