import { Position } from '@tailwater/schema';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonBuffer } from '#consumer/targets/json/json-buffer.js';
import { writeVersion } from '#consumer/targets/json/write-version.js';

function digits(position: Position): string {
  const out = new JsonBuffer(1);
  writeVersion(out, position);
  return out.written().toString('latin1');
}

describe('writeVersion', () => {
  test.each([
    [0, 0],
    [0, 7],
    [0, 2 ** 32 - 1],
    [1, 0],
    [232, 3_567_587_328],
    [1_700_000_000, 1],
    [2 ** 31 - 1, 2 ** 32 - 1],
    [2 ** 32 - 1, 2 ** 32 - 1],
  ])('writes the version of %i:%i', (t, i) => {
    expect(digits(new Position(t, i))).toBe(new Position(t, i).version.toString());
  });

  test('property: the digits are those of the version', () => {
    const part = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(part, part, (t, i) => {
        expect(digits(new Position(t, i))).toBe(new Position(t, i).version.toString());
      }),
      { numRuns: 2000 },
    );
  });
});
