// A process that waits for a coordinator which never comes says so, and why.
import { type BrokerConnections, BrokerRefusal, createLogger, ERROR, GroupMembership } from '@tailwater/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('is told when no broker coordinates the group for half a minute, and when one does', async () => {
  const lines: { msg: string; level: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'info', format: 'json', destination });
  let answers = 0;
  const send = async (): Promise<never> => {
    answers += 1;
    throw new BrokerRefusal(ERROR.COORDINATOR_NOT_AVAILABLE, 'FindCoordinator');
  };
  const connections = { any: async () => ({ send }), know: () => undefined } as unknown as BrokerConnections;
  const protocol = {
    name: 'test',
    metadata: () => Buffer.alloc(0),
    share: async () => [],
    given: async () => false,
    lost: async () => undefined,
  };
  const options = { groupId: 'tw.producer.rs0', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 30_000, heartbeatMs: 500 };
  const membership = new GroupMembership({ member: connections, beside: connections }, options, protocol, logger);
  const stop = new AbortController();
  const running = membership.run(stop.signal);
  await vi.advanceTimersByTimeAsync(25_000);
  expect(lines).toEqual([]);
  await vi.advanceTimersByTimeAsync(25_000);
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'warn',
      msg: expect.stringMatching(
        /No broker coordinates the group tw.producer.rs0.*COORDINATOR_NOT_AVAILABLE.*offsets.topic.replication.factor/,
      ),
    }),
  ]);
  expect(answers).toBeGreaterThan(10);
  stop.abort();
  await running;
});
