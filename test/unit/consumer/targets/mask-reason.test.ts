import { expect, it } from 'vitest';
import { maskReason } from '#consumer/targets/mask-reason.js';

it.each([
  [
    "failed to parse field [price] of type [long] in document with id '7'. Preview of field's value: 'it's Bob's secret'",
    "failed to parse field [price] of type [long] in document with id '7'. Preview of field's value: ***",
  ],
  ['For input string: "secret"', 'For input string: "***"'],
  ['failed to parse date field [2020-13-45] with format [strict_date]', 'failed to parse date field [***] with format [strict_date]'],
  [
    'Failed to parse value [secret] as only [true] or [false] are allowed.',
    'Failed to parse value [***] as only [true] or [false] are allowed.',
  ],
  ['Numeric value (3000000000) out of range of int', 'Numeric value [***] out of range of int'],
  [
    `ERROR: [doc=7] Error adding field 'price'='secret' msg=For input string: "secret"`,
    `ERROR: [doc=7] Error adding field 'price'='***' msg=For input string: "***"`,
  ],
  [
    'E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "bob@example.com", n: 5 }',
    'E11000 duplicate key error collection: shop.users index: email_1 dup key: { *** }',
  ],
  ['the index is closed', 'the index is closed'],
  ["it doesn't fit, and that's it", "it doesn't fit, and that's it"],
])('%s', (said, shown) => {
  expect(maskReason(said)).toBe(shown);
});

it('is bounded', () => {
  expect(maskReason('x'.repeat(100_000))).toHaveLength(500);
});
