import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RepeatFilter } from '#runtime/kafka/repeat-filter.js';

describe('RepeatFilter', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('passes the first at once and sums up the rest of the window', () => {
    const emitted: (number | undefined)[] = [];
    const filter = new RepeatFilter(30_000);
    for (let i = 0; i < 100; i++) filter.pass('down', (repeated) => emitted.push(repeated?.times));
    filter.pass('other', (repeated) => emitted.push(repeated?.times));
    expect(emitted).toEqual([undefined, undefined]);
    vi.advanceTimersByTime(30_000);
    expect(emitted).toEqual([undefined, undefined, 99]);
  });

  it('forgets a kind after a quiet window, so that the next is at once again', () => {
    const emit = vi.fn();
    const filter = new RepeatFilter(1000);
    filter.pass('down', emit);
    filter.pass('down', emit);
    vi.advanceTimersByTime(1000);
    expect(emit).toHaveBeenLastCalledWith({ times: 1, windowMs: 1000 });
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
    filter.pass('down', emit);
    expect(emit).toHaveBeenLastCalledWith(undefined);
    expect(emit).toHaveBeenCalledTimes(3);
  });
});
