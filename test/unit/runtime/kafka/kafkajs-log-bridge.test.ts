import { createRequire } from 'node:module';
import { createLogger } from '@tailwater/runtime';
import { type LogEntry, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CONCURRENT_TRANSACTIONS_TEXT, createKafkajsLogBridge, kafkajsLogLevel } from '#runtime/kafka/kafkajs-log-bridge.js';

function bridge(level = 'trace') {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ name: 'x', level, format: 'json', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
  const failures: string[] = [];
  const health = { failed: (broker: string, reason: string) => void failures.push(`${broker} ${reason}`) };
  const log = createKafkajsLogBridge(logger, health)(logLevel.INFO);
  const entry = (namespace: string, entryLevel: logLevel, message: unknown, extra: object = {}): LogEntry => ({
    namespace,
    level: entryLevel,
    label: '',
    log: { timestamp: 'now', logger: 'kafkajs', message: message as string, ...extra },
  });
  return { lines, failures, logger, log: (...args: Parameters<typeof entry>) => log(entry(...args)) };
}

describe('the kafkajs log bridge', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('knows kafkajs’s text for CONCURRENT_TRANSACTIONS', () => {
    const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js');
    expect(createErrorFromCode(51)).toMatchObject({ type: 'CONCURRENT_TRANSACTIONS', message: CONCURRENT_TRANSACTIONS_TEXT });
  });

  it.each([
    ['Connection', logLevel.ERROR, 'Response AddPartitionsToTxn(key: 24, version: 1)', { error: CONCURRENT_TRANSACTIONS_TEXT }, 'trace'],
    [
      'Connection',
      logLevel.ERROR,
      'Response Heartbeat(key: 12, version: 3)',
      { error: 'The group is rebalancing, so a rejoin is needed' },
      'debug',
    ],
    ['Connection', logLevel.ERROR, 'Connection error: connect ECONNREFUSED', { broker: 'b:1', stack: 's' }, 'debug'],
    [
      'BrokerPool',
      logLevel.ERROR,
      'Failed to connect to seed broker, trying another broker from the list: x',
      { retryCount: 1, retryTime: 2 },
      'warn',
    ],
    [
      'BrokerPool',
      logLevel.ERROR,
      'Failed to connect to seed broker, trying another broker from the list: Connection error: connect ECONNREFUSED',
      { retryCount: 1 },
      'debug',
    ],
    ['RequestQueue', logLevel.WARN, 'Response without match', { broker: 'b:1' }, 'debug'],
    ['Consumer', logLevel.ERROR, 'Restarting the consumer in 100ms', { retryTime: 100 }, 'debug'],
    ['Producer', logLevel.ERROR, 'Failed to send messages: x', { retryCount: 0, retryTime: 5 }, 'warn'],
    ['Producer', logLevel.ERROR, `Failed to send messages: ${CONCURRENT_TRANSACTIONS_TEXT}`, { retryCount: 0 }, 'trace'],
    ['Producer', logLevel.WARN, 'Limiting retries for the idempotent producer may invalidate EoS guarantees', {}, 'trace'],
    ['Consumer', logLevel.ERROR, 'Crash: KafkaJSError: x', { retryCount: 0, groupId: 'g' }, 'debug'],
    ['Runner', logLevel.WARN, 'The group is rebalancing, re-joining', { groupId: 'g' }, 'debug'],
    ['ConsumerGroup', logLevel.INFO, 'Consumer has joined the group', {}, 'debug'],
    ['Connection', logLevel.DEBUG, 'Request Fetch', {}, 'trace'],
    ['ConsumerGroup', logLevel.ERROR, 'Offset out of range, resetting to default offset', {}, 'error'],
  ])('%s %i %s', (namespace, level, message, extra, expected) => {
    const { lines, log } = bridge();
    log(namespace, level, message, extra);
    expect(lines).toMatchObject([{ level: expected, msg: `${namespace}: ${message}` }]);
    expect(lines[0]).not.toHaveProperty('stack');
    expect(lines[0]).not.toHaveProperty('timestamp');
  });

  it('tells the brokers’ health of failed connections, and of nothing else', () => {
    const { failures, log } = bridge('info');
    log('Connection', logLevel.ERROR, 'Connection error: connect ECONNREFUSED b:1', { broker: 'b:1' });
    log('Connection', logLevel.ERROR, 'Connection timeout', { broker: 'c:1' });
    log('Connection', logLevel.ERROR, 'Response Heartbeat(key: 12, version: 3)', { broker: 'b:1', error: 'rebalancing' });
    log('Connection', logLevel.DEBUG, 'Connection error: none', { broker: 'b:1' });
    log('BrokerPool', logLevel.ERROR, 'Connection error: x', { broker: 'b:1' });
    expect(failures).toEqual(['b:1 connect ECONNREFUSED b:1', 'c:1 Connection timeout']);
  });

  it('takes an Error where kafkajs promises a text', () => {
    const { lines, log } = bridge();
    log('BrokerPool', logLevel.ERROR, new Error('odd'), {});
    expect(lines).toMatchObject([{ msg: 'BrokerPool: Error: odd' }]);
  });

  it('sums up a flood', () => {
    const { lines, log } = bridge('info');
    for (let retryCount = 0; retryCount < 500; retryCount++) log('BrokerPool', logLevel.ERROR, 'Failed to connect', { retryCount });
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(30_000);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({
      level: 'warn',
      repeated: 499,
      msg: 'BrokerPool: Failed to connect (repeated 499 times in the last 30 s)',
    });
  });

  it('asks kafkajs for no more than is written', () => {
    expect(kafkajsLogLevel(bridge('trace').logger)).toBe(logLevel.DEBUG);
    expect(kafkajsLogLevel(bridge('warn').logger)).toBe(logLevel.WARN);
  });
});
