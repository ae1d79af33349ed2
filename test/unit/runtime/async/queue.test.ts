import { Queue } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('a queue', () => {
  it('hands over what waits, and what is yet to come, in its order', async () => {
    const { signal } = new AbortController();
    const queue = new Queue<number>();
    queue.put(1);
    queue.put(2);
    expect([...queue]).toEqual([1, 2]);
    expect(queue.length).toBe(2);
    expect([await queue.take(signal), await queue.take(signal)]).toEqual([1, 2]);
    const both = Promise.all([queue.take(signal), queue.take(signal)]);
    queue.put(3);
    queue.put(4);
    expect(await both).toEqual([3, 4]);
  });

  it('hands each item to one taker', async () => {
    const { signal } = new AbortController();
    const queue = new Queue<number>();
    const both = [queue.take(signal), queue.take(signal)];
    queue.put(1);
    await both[0];
    queue.put(2);
    expect(await Promise.all(both)).toEqual([1, 2]);
  });

  it('hands over nothing once the signal aborts, and keeps what waits', async () => {
    const stop = new AbortController();
    const queue = new Queue<number>();
    const waiting = queue.take(stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    queue.put(1);
    expect(await queue.take(stop.signal)).toBeUndefined();
    expect(await queue.take(new AbortController().signal)).toBe(1);
  });
});
