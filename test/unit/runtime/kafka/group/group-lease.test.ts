import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GroupLease } from '#runtime/kafka/group/group-lease.js';

const never = new AbortController().signal;
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'], now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/** Whether it resolves before anything else happens. */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false;
  void promise.then(() => {
    resolved = true;
  });
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return resolved;
}

it('is held for nine tenths of a session from when the request was sent that the coordinator answered', async () => {
  const lease = new GroupLease(6000);
  expect(lease.isHeld).toBe(false);
  const sentMs = performance.now();
  vi.advanceTimersByTime(4000);
  lease.renew(sentMs);
  expect([lease.isHeld, await isResolved(lease.held(never))]).toEqual([true, true]);
  vi.advanceTimersByTime(1500);
  expect([lease.isHeld, await isResolved(lease.held(never))]).toEqual([false, false]);
});

it('an answer that comes late does not shorten it', () => {
  const lease = new GroupLease(6000);
  const sentMs = performance.now();
  vi.advanceTimersByTime(3000);
  lease.renew(performance.now());
  lease.renew(sentMs);
  vi.advanceTimersByTime(5000);
  expect(lease.isHeld).toBe(true);
});

it('whoever waits goes on when it is renewed by an answer that still counts, and when it is told to stop', async () => {
  const lease = new GroupLease(6000);
  const stop = new AbortController();
  const [waiting, stopped] = [lease.held(never), lease.held(stop.signal)];
  lease.renew(performance.now() - 5800);
  expect(await isResolved(waiting)).toBe(false);
  stop.abort();
  expect([await isResolved(stopped), await isResolved(waiting)]).toEqual([true, false]);
  lease.renew(performance.now());
  expect(await isResolved(waiting)).toBe(true);
});

it('is over at once when the group has given up on the member', () => {
  const lease = new GroupLease(6000);
  lease.renew(performance.now());
  lease.end();
  expect(lease.isHeld).toBe(false);
});
