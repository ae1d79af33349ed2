import { sleep } from '@tailwater/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

describe('sleep', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('resolves after its time, not before', async () => {
    const done = vi.fn();
    const sleeping = sleep(1000).then(done);
    await vi.advanceTimersByTimeAsync(999);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await sleeping;
  });

  it('resolves when the signal aborts and leaves no timer behind', async () => {
    const stop = new AbortController();
    const sleeping = sleep(3_600_000, stop.signal);
    stop.abort();
    await sleeping;
    await sleep(3_600_000, stop.signal);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no listener behind', async () => {
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    const sleeping = sleep(10, signal);
    await vi.advanceTimersByTimeAsync(10);
    await sleeping;
    expect(remove).toHaveBeenCalledOnce();
  });
});
