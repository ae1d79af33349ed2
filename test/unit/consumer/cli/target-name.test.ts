import { expect, it } from 'vitest';
import { targetName } from '#consumer/cli/target-name.js';

it.each([
  ['search', 'search'],
  ['./lib/my-target.js', 'my-target'],
])('%s is called %s', (value, name) => expect(targetName(value)).toBe(name));

it.each(['a.b', '', 'ä', 'x'.repeat(101)])('%s is no name', (value) =>
  expect(() => targetName(value)).toThrow(expect.objectContaining({ code: 'TW1006' })),
);

it.each(['producer', './producer.js'])('%s would have the dead letters of the producer', (value) =>
  expect(() => targetName(value)).toThrow(
    expect.objectContaining({ code: 'TW1006', message: expect.stringContaining('but not producer') as string }),
  ),
);
