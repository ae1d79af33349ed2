import { describe, expect, test } from 'vitest';
import { rotated } from '../../../../packages/consumer/src/subscribe/kafka-fair-fetch.js';

describe('rotated', () => {
  test.each([
    [0, ['a', 'b', 'c']],
    [1, ['b', 'c', 'a']],
    [2, ['c', 'a', 'b']],
    [3, ['a', 'b', 'c']],
    [100, ['b', 'c', 'a']],
  ])('begins at %i and goes round', (start, expected) => {
    expect(rotated(['a', 'b', 'c'], start)).toEqual(expected);
  });

  test('leaves nothing as nothing', () => {
    expect(rotated([], 5)).toEqual([]);
  });
});
