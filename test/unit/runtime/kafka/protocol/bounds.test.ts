// How long each request to a broker waits for an answer: a connection whose other end is gone without a sign never brings one, and the next request needs another.
import { afterEach, expect, test, vi } from 'vitest';
import { type Broker, BrokerConnections, type BrokerRequest } from '#runtime/kafka/protocol/broker-connections.js';
import { readMetadata } from '#runtime/kafka/protocol/cluster-metadata.js';
import { fetchRecords, listOffsets } from '#runtime/kafka/protocol/fetch-requests.js';
import {
  commitOffsets,
  fetchOffsets,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  syncGroup,
} from '#runtime/kafka/protocol/group-requests.js';
import { plannedTopic } from '#runtime/kafka/protocol/planned-topic.js';
import { topicSetting } from '#runtime/kafka/protocol/topic-settings.js';

const never = new Promise<never>(() => undefined);
const anyVersion = Array.from({ length: 80 }, () => ({ minVersion: 0, maxVersion: 99 }));

afterEach(() => vi.useRealTimers());

/** Connections to a broker that takes them, and answers nothing; `connects` whether it gets as far as to be asked. */
function silent(connects: boolean) {
  const ended: string[] = [];
  const connection = {
    isConnected: () => true,
    rejectRequests: () => ended.push('rejected'),
    socket: { destroy: () => ended.push('gone') },
  };
  const connectionPool = { host: 'k', port: 9092, pool: [connection], getConnection: () => never, send: () => never };
  const broker = {
    connectionPool,
    versions: anyVersion,
    connect: () => (connects ? Promise.resolve() : never),
    disconnect: () => Promise.resolve(),
    isConnected: () => connects,
  };
  const cluster = {
    rootLogger: {},
    connectionPoolBuilder: { build: async () => connectionPool },
    brokerPool: { createBroker: () => broker },
  };
  const create = Symbol('private:Kafka:createCluster');
  const connections = new BrokerConnections({ [create]: () => cluster } as never);
  connections.know({ nodeId: 1, host: 'k', port: 9092, rack: null });
  return { connections, ended };
}

const at = { topic: 't', partition: 0 };
const member = { groupId: 'g', generation: 1, memberId: 'm' };
const ask =
  <T>(request: BrokerRequest<T>) =>
  (broker: Broker): Promise<unknown> =>
    broker.send(request);
const join = { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, memberId: '', protocol: 'p', metadata: Buffer.alloc(0) };
const fetched = { session: { id: 0, epoch: 0 }, positions: [], forgotten: [], maxBytes: 1, partitionBytes: 1 };

test.each<[string, number, (broker: Broker) => Promise<unknown>]>([
  ['which topics and leaders there are', 10_000, (broker) => readMetadata(broker, () => true)],
  ['who coordinates a group', 10_000, ask(findCoordinator('g'))],
  // The member itself waits no longer than its session lasts for an answer of the coordinator.
  ['to join, as long as the others take', 70_000, ask(joinGroup(join))],
  ['for a share, as long as the others take', 70_000, ask(syncGroup(member, [], 60_000))],
  ['to take a heartbeat', 10_000, ask(heartbeat(member))],
  ['to let a member go', 10_000, ask(leaveGroup('g', 'm'))],
  ['to commit', 10_000, ask(commitOffsets(member, [{ ...at, offset: 1 }]))],
  ['what was committed', 10_000, ask(fetchOffsets('g', [at]))],
  ['where partitions end', 10_000, ask(listOffsets([at], -1))],
  ['what a topic would be like, beyond the time it may take for that', 40_000, ask(plannedTopic('t', 1, -1))],
  ['how topics are set', 10_000, ask(topicSetting(['t'], 'delete.retention.ms'))],
  [
    'for records, beyond the time it may wait for them',
    10_300,
    (broker) => broker.send(fetchRecords({ ...fetched, maxWaitMs: 300 }, broker)),
  ],
])('a broker that is asked %s, and says nothing, is given up after %i ms', async (_, boundMs, send) => {
  vi.useFakeTimers();
  const { connections, ended } = silent(true);
  const broker = await connections.node(1);
  const outcome = send(broker).catch((error: Error) => error);
  await vi.advanceTimersByTimeAsync(boundMs - 1);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({ name: 'KafkaJSRequestTimeoutError', retriable: true });
  expect(ended).toEqual(['rejected', 'gone']);
  expect(await connections.node(1)).not.toBe(broker);
});

test('a broker that takes a connection, and says nothing, is given up after 20 s', async () => {
  vi.useFakeTimers();
  const { connections, ended } = silent(false);
  const outcome = connections.node(1).catch((error: Error) => error);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await outcome).toMatchObject({ retriable: true, message: 'k:9092 did not answer a connection within 20 s' });
  expect(ended).toEqual(['rejected', 'gone']);
});

test('an answer that does not come ends the connections to other brokers too on which none is waited for', async () => {
  vi.useFakeTimers();
  const { connections, ended } = silent(true);
  connections.know({ nodeId: 2, host: 'k', port: 9092, rack: null });
  connections.know({ nodeId: 3, host: 'k', port: 9092, rack: null });
  const [asked, idle, waiting] = [await connections.node(1), await connections.node(2), await connections.node(3)];
  const join60s = waiting.send(joinGroup(join)).catch((error: Error) => error);
  const outcome = asked.send(findCoordinator('g')).catch((error: Error) => error);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await outcome).toMatchObject({ retriable: true });
  expect(await connections.node(2)).not.toBe(idle);
  expect(await connections.node(3)).toBe(waiting);
  expect(ended).toHaveLength(4);
  connections.close();
  await vi.advanceTimersByTimeAsync(60_000);
  await join60s;
});
