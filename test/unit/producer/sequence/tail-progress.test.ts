import { setImmediate as turn } from 'node:timers/promises';
import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { TailProgress } from '../../../../packages/producer/src/sequence/tail-progress.js';
import { T } from '../support/entries.js';

const at = (i: number) => new Position(T, i);
const never = new AbortController().signal;

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await turn();
  return settled;
}

describe('TailProgress.passed', () => {
  it('is met by the position itself, or by one behind it', async () => {
    const progress = new TailProgress(at(5));
    await progress.passed(at(5), 0, never);
    const waiting = progress.passed(at(7), 0, never);
    progress.advance(at(6), 10, 1);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(at(8), 10, 2);
    await waiting;
    expect(progress.end.toString()).toBe(at(8).toString());
  });

  it('is met by a read that found nothing and began after the position was known', async () => {
    const progress = new TailProgress(at(1));
    const waiting = progress.passed(at(9), 100, never);
    progress.advance(at(1), 0, 99);
    progress.advance(at(1), 0, 100);
    // One that brought entries says nothing about those behind them.
    progress.advance(at(2), 3, 200);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(at(2), 0, 101);
    await waiting;
    // It goes on saying so: whatever was known before it began has passed.
    await progress.passed(at(9), 100, never);
    expect(await isSettled(progress.passed(at(9), 101, never))).toBe(false);
  });

  it('wakes each waiter once its own position has passed', async () => {
    const progress = new TailProgress(at(0));
    const [near, far] = [progress.passed(at(1), 0, never), progress.passed(at(3), 0, never)];
    progress.advance(at(2), 1, 0);
    expect([await isSettled(near), await isSettled(far)]).toEqual([true, false]);
    progress.advance(at(3), 1, 0);
    await far;
  });

  it('rejects with the reason of the abort, before or while it waits', async () => {
    const progress = new TailProgress(at(0));
    const stop = new AbortController();
    const waiting = progress.passed(at(1), 0, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(progress.passed(at(1), 0, stop.signal)).rejects.toThrow('stopped');
    progress.advance(at(2), 1, 0);
  });
});

describe('TailProgress.near', () => {
  it('begins far: nothing was read yet', async () => {
    expect(await isSettled(new TailProgress(at(0)).near(never))).toBe(false);
  });

  it('is far behind a full read of old entries', async () => {
    const progress = new TailProgress(at(0));
    progress.advance(at(1), 2000, 0);
    const waiting = progress.near(never);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(at(2), 1999, 0);
    await waiting;
  });

  it('is near behind a full read of entries that are new', async () => {
    const progress = new TailProgress(at(0));
    progress.advance(new Position(Math.floor(Date.now() / 1000), 1), 2000, 0);
    await progress.near(never);
  });
});
