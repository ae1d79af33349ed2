import { recordKeyOf } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { parseIdText } from '#producer/signals/id-text.js';

describe('parseIdText', () => {
  it.each([
    ['42', '42'],
    ['-1.5', '-1.5'],
    ['"42"', '"42"'],
    ['true', 'true'],
    ['null', 'null'],
    ['{"$oid":"65f0c0ffee0ddba11c0ffee0"}', '{"$oid":"65f0c0ffee0ddba11c0ffee0"}'],
    ['{"$numberLong":"9007199254740993"}', '9007199254740993'],
    ['{"region":"eu","n":1}', '{"region":"eu","n":1}'],
    // Without quotes of its own.
    ['65f0c0ffee0ddba11c0ffee0', '{"$oid":"65f0c0ffee0ddba11c0ffee0"}'],
    ['650000000000000000000000', '{"$oid":"650000000000000000000000"}'],
    ['order-1', '"order-1"'],
    ['0042', '"0042"'],
    ['2026-01-31', '"2026-01-31"'],
    ['', '""'],
  ])('reads %s', (text, key) => expect(recordKeyOf(parseIdText(text))).toBe(key));

  it.each(['{"$oid": 1', '"open', '[1,', '{"$oid": "short"}'])('refuses %s', (text) => {
    expect(() => parseIdText(text)).toThrow(expect.objectContaining({ code: 'TW1142' }));
  });
});
