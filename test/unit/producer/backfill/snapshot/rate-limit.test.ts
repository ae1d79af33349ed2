import { describe, expect, it } from 'vitest';
import { RateLimit } from '#producer/backfill/snapshot/rate-limit.js';

function at(perSecond: number) {
  let now = 0;
  const limit = new RateLimit(perSecond, { now: () => 0, monotonic: () => now });
  return { limit, pass: (ms: number) => (now += ms) };
}

describe('RateLimit', () => {
  it('makes the next read wait for what was read before', () => {
    const { limit, pass } = at(100);
    expect(limit.waitMs).toBe(0);
    limit.took(50);
    limit.took(25);
    expect(limit.waitMs).toBe(750);
    pass(700);
    expect(limit.waitMs).toBe(50);
  });

  it('saves nothing up while nobody reads', () => {
    const { limit, pass } = at(100);
    pass(60_000);
    limit.took(100);
    expect(limit.waitMs).toBe(1000);
  });

  it('is none at 0', async () => {
    const { limit } = at(0);
    limit.took(1_000_000);
    await limit.untilAllowed(new AbortController().signal);
    expect(limit.waitMs).toBe(0);
  });

  it('ends its wait when it is told to stop', async () => {
    const { limit } = at(1);
    limit.took(1000);
    await limit.untilAllowed(AbortSignal.abort());
  });
});
