import { TailwaterError } from '@tailwater/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TopicWatch } from '#producer/publish/topic-watch.js';

const lost = (): TailwaterError => new TailwaterError('TW1223', { topics: 'tw.shop.orders' });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('TopicWatch', () => {
  it('looks every so often, and soon when somebody asks, once for all who do', async () => {
    const stop = new AbortController();
    const look = vi.fn(async () => {});
    const watch = new TopicWatch(look, 60_000);
    const running = watch.run(stop.signal);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(look).toHaveBeenCalledTimes(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(look).toHaveBeenCalledTimes(1);
    for (let n = 0; n < 50; n++) {
      watch.soon();
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(500);
    expect(look).toHaveBeenCalledTimes(2);
    stop.abort();
    await running;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on when Kafka does not answer, and ends with a topic that is lost', async () => {
    const look = vi.fn(async () => {});
    look.mockRejectedValueOnce(new Error('no answer')).mockRejectedValueOnce(lost());
    const running = new TopicWatch(look, 1000).run(new AbortController().signal);
    const ended = expect(running).rejects.toMatchObject({ code: 'TW1223', retriable: true });
    await vi.advanceTimersByTimeAsync(5000);
    await ended;
    expect(look).toHaveBeenCalledTimes(2);
  });
});
