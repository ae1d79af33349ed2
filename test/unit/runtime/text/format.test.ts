import { formatBytes, formatCount, formatDuration, formatRate } from '@tailwater/runtime';
import { expect, it } from 'vitest';

it.each<[number | bigint, string]>([
  [0, '0'],
  [1234567, '1,234,567'],
  [9_007_199_254_740_993n, '9,007,199,254,740,993'],
])('formatCount(%s) is %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1500, '1.5 kB'],
  [9_960, '10 kB'],
  [999_600, '1.0 MB'],
  [16_777_216, '17 MB'],
  [-1500, '-1.5 kB'],
  [5e18, '5000 PB'],
])('formatBytes(%s) is %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0, '0 s'],
  [0.44, '0.4 s'],
  [9.96, '10 s'],
  [59.6, '1 min'],
  [185, '3 min 5 s'],
  [3600, '1 h'],
  [3605, '1 h'],
  [7_830, '2 h 10 min'],
  [90_000, '1 d 1 h'],
  [-65, '-1 min 5 s'],
  [Number.POSITIVE_INFINITY, 'unknown'],
])('formatDuration(%s) is %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it.each<[number, string | undefined, string]>([
  [12_300.4, 'documents', '12,300 documents/s'],
  [0.44, 'documents', '0.4 documents/s'],
  [10, undefined, '10/s'],
])('formatRate(%s, %s) is %s', (rate, unit, text) => {
  expect(formatRate(rate, unit)).toBe(text);
});
