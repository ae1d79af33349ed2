// When work counts as standing still.
import { expect, it } from 'vitest';
import { StallWatch } from '#runtime/status/stall-watch.js';

function watched() {
  const seen = { isWaiting: false, done: 0 };
  let nowMs = 0;
  const watch = new StallWatch(() => ({ ...seen }), { now: () => nowMs, monotonic: () => nowMs });
  const after = (ms: number): number | undefined => {
    nowMs += ms;
    return watch.forMs;
  };
  return { seen, after };
}

it('is told after ten seconds in which nothing was done though there was work', () => {
  const { seen, after } = watched();
  expect(after(60_000)).toBeUndefined();
  seen.isWaiting = true;
  expect(after(9_000)).toBeUndefined();
  expect(after(1_000)).toBe(10_000);
  expect(after(5_000)).toBe(15_000);
  seen.done = 1;
  expect(after(1)).toBeUndefined();
  expect(after(9_999)).toBeUndefined();
  expect(after(1)).toBe(10_000);
});

it('is not told while things are done, however many are left, nor while nothing is left', () => {
  const { seen, after } = watched();
  seen.isWaiting = true;
  for (let each = 0; each < 10; each += 1) {
    seen.done += 1;
    expect(after(5_000)).toBeUndefined();
  }
  seen.isWaiting = false;
  expect(after(60_000)).toBeUndefined();
});
