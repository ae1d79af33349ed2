import { setImmediate as turn } from 'node:timers/promises';
import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { TailProgress } from '#producer/writer/tail-progress.js';
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
    await progress.passed(at(5), never);
    const waiting = progress.passed(at(7), never);
    progress.advance(at(6), 10, true);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(at(8), 10, true);
    await waiting;
    expect(progress.end.toString()).toBe(at(8).toString());
  });

  it('is not met by a read that found nothing: the member that was read may lag', async () => {
    const progress = new TailProgress(at(1));
    const waiting = progress.passed(at(2), never);
    progress.advance(at(1), 0, true);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(at(2), 1, true);
    await waiting;
  });

  it('is not met inside an entry, but by what was read behind it', async () => {
    const progress = new TailProgress(at(1));
    const waiting = progress.passed(at(2), never);
    progress.advance(new Position(T, 2, 1), 1, false);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(new Position(T, 2, 1), 0, true);
    await waiting;
    progress.advance(new Position(T, 2, 2), 1, false);
    expect(await isSettled(progress.passed(at(2), never))).toBe(false);
  });

  it('wakes each waiter once its own position has passed', async () => {
    const progress = new TailProgress(at(0));
    const [near, far] = [progress.passed(at(1), never), progress.passed(at(3), never)];
    progress.advance(at(2), 1, true);
    expect([await isSettled(near), await isSettled(far)]).toEqual([true, false]);
    progress.advance(at(3), 1, true);
    await far;
  });

  it('rejects with the reason of the abort, before or while it waits', async () => {
    const progress = new TailProgress(at(0));
    const stop = new AbortController();
    const waiting = progress.passed(at(1), stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(progress.passed(at(1), stop.signal)).rejects.toThrow('stopped');
    progress.advance(at(2), 1, true);
  });
});

describe('TailProgress.near', () => {
  it('begins far: nothing was read yet', async () => {
    expect(await isSettled(new TailProgress(at(0)).near(never))).toBe(false);
  });

  it('is far behind a full read of old entries', async () => {
    const progress = new TailProgress(at(0));
    progress.advance(at(1), 2000, true);
    const waiting = progress.near(never);
    expect(await isSettled(waiting)).toBe(false);
    progress.advance(at(2), 1999, true);
    await waiting;
  });

  it('is far behind a few old entries that are large: a reply of the server is bounded in bytes, too', async () => {
    const progress = new TailProgress(at(0));
    progress.advance(at(1), 3, true, 15 * 1024 * 1024);
    expect(await isSettled(progress.near(never))).toBe(false);
    progress.advance(at(2), 3, true, 3000);
    await progress.near(never);
  });

  it('is near behind a full read of entries that are new', async () => {
    const progress = new TailProgress(at(0));
    progress.advance(new Position(Math.floor(Date.now() / 1000), 1), 2000, true);
    await progress.near(never);
  });
});
