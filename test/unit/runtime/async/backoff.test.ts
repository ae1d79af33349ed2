import { Backoff } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('a backoff', () => {
  it('pauses for longer each time, up to the limit, and briefly after a success', () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 500 });
    expect(Array.from({ length: 5 }, () => backoff.next())).toEqual([100, 200, 400, 500, 500]);
    expect(backoff.lastMs).toBe(500);
    backoff.reset();
    expect(backoff.lastMs).toBe(0);
    expect(backoff.next()).toBe(100);
  });

  it('grows by its factor', () => {
    const backoff = new Backoff({ minMs: 10, maxMs: 1_000, factor: 1.5 });
    expect(Array.from({ length: 3 }, () => backoff.next())).toEqual([10, 15, 22.5]);
  });

  it('ends its pause when the signal aborts', async () => {
    const stop = new AbortController();
    const pausing = new Backoff({ minMs: 3_600_000, maxMs: 3_600_000 }).pause(stop.signal);
    stop.abort();
    await pausing;
  });
});
