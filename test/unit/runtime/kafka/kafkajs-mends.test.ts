import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import '#runtime/kafka/kafkajs-mends.js';
import { TailwaterError } from '#runtime/errors/tailwater-error.js';
import { toKafkaError } from '#runtime/kafka/kafka-errors.js';
import { promptSocket } from '#runtime/kafka/prompt-socket.js';

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error & { type: string; retriable: boolean };
};

interface Queue {
  throttledUntil: number;
  pending: unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}
const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => Queue;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('knows the codes behind the end of the table', () => {
  expect(createErrorFromCode(90)).toMatchObject({ type: 'PRODUCER_FENCED', retriable: false });
  expect(createErrorFromCode(120)).toMatchObject({ type: 'TRANSACTION_ABORTABLE', retriable: false });
  expect(createErrorFromCode(100)).toMatchObject({ type: 'UNKNOWN_TOPIC_ID', retriable: true });
  expect(createErrorFromCode(88)).toMatchObject({ type: 'UNSTABLE_OFFSET_COMMIT' });
  expect(toKafkaError(createErrorFromCode(90), 'b')).toMatchObject({ code: 'TW1205' });
  expect(toKafkaError(createErrorFromCode(120), 'b')).not.toBeInstanceOf(TailwaterError);
});

it('sets no timer while nothing waits, none in the past, and one for what waits', () => {
  const set = vi.spyOn(globalThis, 'setTimeout');
  const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1000, enforceRequestTimeout: false, logger: { debug() {} } });
  queue.scheduleCheckPendingRequests();
  expect(set).not.toHaveBeenCalled();
  const check = vi.spyOn(queue, 'checkPendingRequests').mockReturnValue();
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  vi.advanceTimersByTime(10);
  expect(check).toHaveBeenCalledTimes(1);
  queue.throttledUntil = Date.now() + 500;
  queue.scheduleCheckPendingRequests();
  vi.advanceTimersByTime(499);
  expect(check).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(check).toHaveBeenCalledTimes(2);
  for (const [, ms] of set.mock.calls) expect(ms).toBeGreaterThan(0);
});

it('asked for all topics, takes an answer with a partition that has no leader; asked for some, waits for it', async () => {
  const { protocol } = require('kafkajs/src/protocol/requests/metadata') as {
    protocol(asked: object): (parameters: object) => { response: { parse(data: object): Promise<object> } };
  };
  const partition = { partitionErrorCode: 5, partitionId: 0, leader: -1 };
  const answer = { brokers: [], topicMetadata: [{ topicErrorCode: 0, topic: 'other', partitionMetadata: [partition] }] };
  for (const version of [1, 4, 6]) {
    const parse = (topics: string[]) => protocol({ version })({ topics }).response.parse(answer);
    await expect(parse([])).resolves.toBe(answer);
    await expect(parse(['other'])).rejects.toMatchObject({ type: 'LEADER_NOT_AVAILABLE', retriable: true });
  }
});

it('a connection on which a request was not answered is used no more, and leaves no socket open', async () => {
  vi.useRealTimers();
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const Connection = require('kafkajs/src/network/connection') as new (
    options: object,
  ) => { connect(): Promise<unknown>; send(protocol: object): Promise<unknown>; isConnected(): boolean; socket: Socket };
  const quiet = { debug() {}, error() {}, warn() {}, info() {} };
  const options = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, connectionTimeout: 1000, requestTimeout: 50 };
  const connection = new Connection({ ...options, socketFactory: promptSocket, logger: { ...quiet, namespace: () => quiet } });
  try {
    await connection.connect();
    const { socket } = connection;
    const request = {
      apiKey: 18,
      apiVersion: 0,
      apiName: 'ApiVersions',
      encode: async () => ({ buf: Buffer.alloc(0), buffer: Buffer.alloc(0) }),
    };
    const sent = [1, 2].map(() => connection.send({ request, response: {} }).catch((error: Error) => error.name));
    expect((await Promise.all(sent)).filter((name) => name === 'KafkaJSRequestTimeoutError').length).toBeGreaterThan(0);
    expect(connection.isConnected()).toBe(false);
    await vi.waitFor(() => expect(socket.destroyed).toBe(true), { timeout: 5_000 });
    await connection.connect();
    expect(connection.socket).not.toBe(socket);
    connection.socket.destroy();
  } finally {
    for (const each of sockets) each.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});
