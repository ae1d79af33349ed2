import { createLogger, sleep } from '@tailwater/runtime';
import { expect, test } from 'vitest';
import { DeadLetterGauge } from '#consumer/dead-letters/dead-letter-gauge.js';

test('shows the last count, and nothing when it is not known; a count that fails or hangs stops nothing', async () => {
  const stop = new AbortController();
  const seen: unknown[] = [];
  const counts = [
    async () => ({ count: 3, exact: true }),
    async () => {
      throw new Error('the broker is away');
    },
    async () => ({ count: 4, exact: false }),
    () => sleep(60_000).then(() => ({ count: 5, exact: true })),
  ];
  const counter = {
    count: async () => {
      seen.push(watch.last);
      return (counts[seen.length - 1] as () => Promise<{ count: number; exact: boolean }>)();
    },
  };
  const watch: DeadLetterGauge = new DeadLetterGauge(counter, createLogger({ name: 'test', level: 'silent' }), 1);
  const running = watch.run(stop.signal);
  while (seen.length < 4) await sleep(1);
  stop.abort();
  await running;
  expect(seen).toEqual([undefined, { count: 3, exact: true }, undefined, { count: 4, exact: false }]);
});
