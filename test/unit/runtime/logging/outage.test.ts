import { createLogger, Outage } from '@tailwater/runtime';
import { expect, it } from 'vitest';

it('says when a failure begins, once a minute that it lasts, and when it is over', () => {
  const lines: [string, string][] = [];
  const destination = { write: (line: string) => void lines.push([JSON.parse(line).level, JSON.parse(line).msg]) };
  let nowMs = 5_000;
  const clock = { now: () => 0, monotonic: () => nowMs };
  const texts = { begins: 'It fails', lasts: 'It still fails', over: 'It works again' };
  const outage = new Outage(texts, createLogger({ name: 'x', format: 'json', destination }), clock);

  outage.recovered();
  expect(lines).toEqual([]);
  for (let second = 0; second <= 130; second += 1) {
    outage.failed(`reason ${second}`);
    nowMs += 1_000;
  }
  outage.recovered();
  outage.recovered();
  expect(lines).toEqual([
    ['warn', 'It fails: reason 0'],
    ['warn', 'It still fails, for 1 min, 60 failures in the last 1 min: reason 60'],
    ['warn', 'It still fails, for 2 min, 60 failures in the last 1 min: reason 120'],
    ['info', 'It works again, after 2 min 11 s'],
  ]);
  outage.failed('anew');
  expect(lines.at(-1)).toEqual(['warn', 'It fails: anew']);
});
