import { Notifier } from '@tailwater/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';

describe('a notifier', () => {
  afterEach(() => void vi.useRealTimers());

  it('wakes all that wait, and none that comes later', async () => {
    const notifier = new Notifier();
    const both = Promise.all([notifier.next(), notifier.next()]);
    expect(notifier.isAwaited).toBe(true);
    notifier.notify();
    expect(notifier.isAwaited).toBe(false);
    await both;
    const late = vi.fn();
    void notifier.next().then(late);
    await Promise.resolve();
    expect(late).not.toHaveBeenCalled();
  });

  it('wakes when the signal aborts, and has nobody wait when it has', async () => {
    const [notifier, stop] = [new Notifier(), new AbortController()];
    const waiting = notifier.next(stop.signal);
    stop.abort();
    await waiting;
    await notifier.next(stop.signal);
    expect(notifier.isAwaited).toBe(false);
  });

  it('wakes when the time is over, and leaves no timer behind when it is woken before', async () => {
    vi.useFakeTimers();
    const notifier = new Notifier();
    const late = notifier.next(undefined, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await late;
    const early = notifier.next(undefined, 1_000);
    notifier.notify();
    await early;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits until a condition holds, and says whether it does', async () => {
    const [notifier, stop] = [new Notifier(), new AbortController()];
    let count = 0;
    const isMet = vi.fn(() => count === 2);
    const waiting = notifier.until(isMet, stop.signal);
    for (count = 1; count <= 2; count += 1) notifier.notify();
    count = 2;
    expect(notifier.isAwaited).toBe(false);
    count = 3;
    await expect(waiting).resolves.toBe(true);
    count = 2;
    await expect(notifier.until(isMet)).resolves.toBe(true);
    const never = notifier.until(() => false, stop.signal);
    stop.abort();
    await expect(never).resolves.toBe(false);
  });
});
