import { useColor } from '@tailwater/runtime';
import { expect, it } from 'vitest';

it.each([
  [true, {}, true],
  [false, {}, false],
  [undefined, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
])('a stream with isTTY %s and %j: %s', (isTTY, env, expected) => {
  expect(useColor(isTTY === undefined ? {} : { isTTY }, env)).toBe(expected);
});
