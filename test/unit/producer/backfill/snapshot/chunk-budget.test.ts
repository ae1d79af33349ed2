import { describe, expect, it } from 'vitest';
import { ChunkBudget } from '#producer/backfill/snapshot/chunk-budget.js';

const never = new AbortController().signal;
/** Whether it settles without anything more happening. */
const isSettled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);

describe('ChunkRoom', () => {
  it('lets in what fits, and the others in their turn', async () => {
    const budget = new ChunkBudget(10);
    const first = await budget.take(6, never);
    const second = budget.take(6, never);
    const third = budget.take(1, never);
    expect(await isSettled(second)).toBe(false);
    expect(await isSettled(third)).toBe(false);
    first.resize(4);
    (await second).release();
    await third;
  });

  it('lets in alone what is larger than all of it', async () => {
    const budget = new ChunkBudget(10);
    const large = await budget.take(16, never);
    const next = budget.take(1, never);
    expect(await isSettled(next)).toBe(false);
    large.release();
    large.release();
    await next;
    expect(await isSettled(budget.take(9, never))).toBe(true);
    expect(await isSettled(budget.take(1, never))).toBe(false);
  });

  it('ends a wait with the signal, and keeps no room for it', async () => {
    const budget = new ChunkBudget(10);
    const first = await budget.take(10, never);
    const stop = new AbortController();
    const waiting = budget.take(10, stop.signal);
    stop.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
    first.release();
    await budget.take(10, never);
  });
});
