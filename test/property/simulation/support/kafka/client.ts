// What the code under test takes for a kafkajs client: connections to the simulated brokers, at the place where it takes its own from kafkajs.
import { type KafkaClient, RequestTimes } from '@tailwater/runtime';
import type { Process } from '../virtual-time.js';
import { PORT } from './broker.js';
import { Connection, type Network } from './connection.js';

interface Protocol {
  readonly request: { readonly apiKey: number; readonly apiVersion: number; encode(): Promise<{ readonly buffer: Buffer }> };
  readonly response: { decode(bytes: Buffer): Promise<unknown> };
}

const ANY = { minVersion: 0, maxVersion: 99 };
const API_KEYS = 64;
const VERSIONS = Object.fromEntries(Array.from({ length: API_KEYS }, (_, apiKey) => [apiKey, ANY]));
const CREATE_CLUSTER = Symbol('private:Kafka:createCluster');

function poolTo(network: Network, process: Process, nodeId: number) {
  const connection = new Connection(network, process, network.brokers[nodeId - 1] as Network['brokers'][number]);
  const pool = {
    host: 'broker',
    port: PORT + nodeId,
    pool: [connection],
    getConnection: async (): Promise<Connection> => connection,
    send: async ({ request, response }: Protocol): Promise<unknown> => {
      const open = await pool.getConnection();
      const { buffer } = await request.encode();
      return response.decode(await open.request(request.apiKey, request.apiVersion, Buffer.from(buffer)));
    },
  };
  return pool;
}

type Pool = ReturnType<typeof poolTo>;

export function simulatedKafka(network: Network, process: Process): KafkaClient {
  const build = async (address?: { readonly port: number }): Promise<Pool> =>
    poolTo(network, process, address === undefined ? 1 + network.random.below(network.brokers.length) : address.port - PORT);
  const createBroker = ({ connectionPool }: { readonly connectionPool: Pool }) => ({
    connectionPool,
    versions: VERSIONS,
    isConnected: () => connectionPool.pool[0]?.isConnected() === true,
    connect: async () => {
      await connectionPool.getConnection();
    },
    disconnect: async () => connectionPool.pool[0]?.close(),
  });
  const cluster = { rootLogger: undefined, connectionPoolBuilder: { build }, brokerPool: { createBroker } };
  return { brokers: 'broker:9091', times: new RequestTimes(), [CREATE_CLUSTER]: () => cluster } as unknown as KafkaClient;
}
