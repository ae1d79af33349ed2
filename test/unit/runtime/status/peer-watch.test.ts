// When a server counts as away, and what is said of it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMetrics } from '#runtime/metrics/metrics.js';
import { PeerWatch, registerUp } from '#runtime/status/peer-watch.js';
import { keptLog } from '../../../integration/producer/support/kept-log.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const never = (): Promise<void> => new Promise(() => {});

function watched(isToBeTold?: () => boolean) {
  const { logger, lines } = keptLog();
  const server = { ask: async (): Promise<void> => {}, asked: 0, closed: 0 };
  const ask = (): Promise<void> => {
    server.asked += 1;
    return server.ask();
  };
  const close = (): void => {
    server.closed += 1;
  };
  const parts = { ask, close, logger, ...(isToBeTold === undefined ? {} : { isToBeTold }) };
  const watch = new PeerWatch('target', 'The target at t', parts);
  const stop = new AbortController();
  return { server, watch, lines, stop, running: watch.run(stop.signal) };
}

it('is away when it has refused for six seconds, until it answers', async () => {
  const { server, watch, lines, stop, running } = watched(() => true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([watch.reason, server.asked]).toEqual([undefined, 31]);
  server.ask = async () => {
    throw new Error('refused');
  };
  await vi.advanceTimersByTimeAsync(5_000);
  expect(watch.reason).toBeUndefined();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(watch.reason).toMatch(/^The target at t has not answered for 8 s: refused$/);
  await vi.advanceTimersByTimeAsync(200_000);
  expect(lines.map(({ msg }) => msg)).toEqual([
    'The target at t does not answer: refused',
    'The target at t still does not answer, for 1 min: refused',
    'The target at t still does not answer, for 2 min: refused',
    'The target at t still does not answer, for 3 min: refused',
  ]);
  server.ask = async () => {};
  await vi.advanceTimersByTimeAsync(2_000);
  expect(watch.reason).toBeUndefined();
  expect(lines.at(-1)?.msg).toMatch(/^The target at t answers again, after 3 min/);
  stop.abort();
  await running;
  expect(server.closed).toBe(1);
});

it('is away when it has said nothing for six seconds, and one question at a time waits for it', async () => {
  const { server, watch, lines, stop, running } = watched();
  server.ask = never;
  await vi.advanceTimersByTimeAsync(7_000);
  expect(watch.reason).toBe('The target at t has not answered for 7 s: no answer within 3 s');
  expect(server.asked).toBe(3);
  // Who works with it tells the log.
  expect(lines).toEqual([]);
  stop.abort();
  await running;
});

it('is a gauge', async () => {
  const { server, watch, stop, running } = watched();
  const metrics = createMetrics();
  registerUp(metrics, { target: () => watch.trouble === undefined, kafka: () => true });
  expect((await metrics.render()).text).toContain('tailwater_up{peer="target"} 1');
  server.ask = never;
  await vi.advanceTimersByTimeAsync(7_000);
  expect((await metrics.render()).text).toContain('tailwater_up{peer="target"} 0');
  expect((await metrics.render()).text).toContain('tailwater_up{peer="kafka"} 1');
  stop.abort();
  await running;
});
