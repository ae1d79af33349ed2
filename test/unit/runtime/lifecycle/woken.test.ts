import { getEventListeners } from 'node:events';
import { abortable, sleep, woken } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('woken', () => {
  it('resolves when it is woken, and when the signal aborts or has', async () => {
    const stop = new AbortController();
    await woken(stop.signal, (wake) => setImmediate(wake));
    const waiting = woken(stop.signal, () => undefined);
    stop.abort();
    await waiting;
    await woken(stop.signal, () => expect.unreachable());
  });
});

describe('whoever waits', () => {
  it.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
    ['woken', (signal) => woken(signal, (wake) => queueMicrotask(wake))],
    ['abortable', (signal) => abortable(Promise.resolve(), signal)],
    ['sleep', (signal) => sleep(0, signal)],
  ])('a thousand times by %s leaves no listener behind', async (_, wait) => {
    const { signal } = new AbortController();
    for (let turn = 0; turn < 1_000; turn += 1) {
      const waiting = wait(signal);
      expect(listeners(signal)).toBe(1);
      await waiting;
    }
    expect(listeners(signal)).toBe(0);
  });
});
