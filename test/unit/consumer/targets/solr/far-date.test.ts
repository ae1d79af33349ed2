import fc from 'fast-check';
import { expect, test } from 'vitest';
import { farDate } from '#consumer/targets/solr/far-date.js';

test.each([
  [8_640_000_000_000_000n, '+275760-09-13T00:00:00.000Z'],
  [253_402_300_800_000n, '+10000-01-01T00:00:00.000Z'],
  [-377_705_116_800_001n, '-10000-12-31T23:59:59.999Z'],
  [9_223_372_036_854_775_807n, '+292278994-08-17T07:12:55.807Z'],
  [-9_223_372_036_854_775_808n, '-292275055-05-16T16:47:04.192Z'],
  [-62_167_219_200_000n, '0000-01-01T00:00:00.000Z'],
])('%d is %s', (ms, text) => {
  expect(farDate(ms)).toBe(text);
});

test('agrees with Date wherever Date has a text', () => {
  fc.assert(
    fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (ms) => {
      // Date writes years beyond four digits with six.
      const expected = new Date(ms).toISOString().replace(/^([+-])0{0,2}(\d{4,6})-/, '$1$2-');
      expect(farDate(BigInt(ms))).toBe(expected);
    }),
  );
});
