import { getEventListeners } from 'node:events';
import { abortable, Backoff, Notifier, onAbort, Queue, sleep } from '@tailwater/runtime';
import { describe, expect, it, vi } from 'vitest';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

const notifier = new Notifier();
const queue = new Queue<number>();
const backoff = new Backoff({ minMs: 0, maxMs: 0 });
const WAITS: [string, (signal: AbortSignal) => Promise<unknown>][] = [
  ['abortable', (signal) => abortable(new Promise<void>((resolve) => queueMicrotask(resolve)), signal)],
  ['sleep', (signal) => sleep(0, signal)],
  ['backoff', (signal) => backoff.pause(signal)],
  [
    'notifier',
    (signal) => {
      queueMicrotask(() => notifier.notify());
      return notifier.next(signal);
    },
  ],
  ['notifier with a limit of time', (signal) => notifier.next(signal, 0)],
  [
    'queue',
    (signal) => {
      queueMicrotask(() => queue.put(1));
      return queue.take(signal);
    },
  ],
];

describe('a thousand waits', () => {
  it.each(WAITS)('one after the other (%s) leave no listener behind', async (_, wait) => {
    const { signal } = new AbortController();
    for (let turn = 0; turn < 1_000; turn += 1) {
      const waiting = wait(signal);
      expect(listeners(signal)).toBe(1);
      await waiting;
    }
    expect(listeners(signal)).toBe(0);
  });

  it.each(WAITS)('at once (%s) share one listener, and all end with the signal', async (_, wait) => {
    const onWarning = vi.fn();
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    const waiting = Array.from({ length: 1_000 }, () => wait(signal));
    expect(listeners(signal)).toBe(1);
    await Promise.all(waiting);
    expect(listeners(signal)).toBe(0);
    await new Promise(setImmediate);
    expect(onWarning).not.toHaveBeenCalled();
    process.off('warning', onWarning);
  });
});

describe('listening for an abort', () => {
  it('is told once, in order, and not after it ends', () => {
    const stop = new AbortController();
    const told: string[] = [];
    onAbort(stop.signal, () => told.push('a'));
    const end = onAbort(stop.signal, () => told.push('b'));
    onAbort(stop.signal, () => told.push('c'));
    end();
    end();
    stop.abort();
    expect(told).toEqual(['a', 'c']);
    onAbort(stop.signal, () => told.push('at once'));
    expect(told).toEqual(['a', 'c', 'at once']);
  });

  it('listens again after all have ended', () => {
    const stop = new AbortController();
    onAbort(stop.signal, () => expect.unreachable())();
    expect(listeners(stop.signal)).toBe(0);
    const act = vi.fn();
    onAbort(stop.signal, act);
    onAbort(stop.signal, act);
    stop.abort();
    expect(act).toHaveBeenCalledTimes(2);
  });
});
