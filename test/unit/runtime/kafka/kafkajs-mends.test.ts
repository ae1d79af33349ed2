import { createRequire } from 'node:module';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import '../../../../packages/runtime/src/kafka/kafkajs-mends.js';
import { TailwaterError } from '../../../../packages/runtime/src/errors/tailwater-error.js';
import { toKafkaError } from '../../../../packages/runtime/src/kafka/kafka-errors.js';

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
