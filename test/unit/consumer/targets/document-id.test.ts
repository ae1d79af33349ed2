import { recordKeyOf } from '@tailwater/schema';
import { ObjectId } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { documentId } from '#consumer/targets/document-id.js';

const idOf = (id: unknown): string => documentId(recordKeyOf(id));

describe('documentId', () => {
  test.each([
    ['an ObjectId', new ObjectId('507f1f77bcf86cd799439011'), '507f1f77bcf86cd799439011'],
    ['a string', 'SKU-1', 'SKU-1'],
    ['a string that begins like a number', '2024-01-01', '2024-01-01'],
    ['a string with a quote inside', 'a"b', 'a"b'],
    ['a string of other letters', 'größe', 'größe'],
    ['a number', 42, '42'],
    ['a boolean', true, 'true'],
    ['a document', { a: 1 }, '{"a":1}'],
  ])('%s is plain', (_, id, expected) => {
    expect(idOf(id)).toBe(expected);
  });

  test.each([
    ['507f1f77bcf86cd799439011'],
    ['42'],
    ['-1.5'],
    ['1e+21'],
    ['true'],
    ['null'],
    [''],
    ['{"a":1}'],
    ['[1]'],
    ['"quoted"'],
    ['sha256:0'],
  ])('the string %j, which reads like something else, is quoted', (id) => {
    expect(idOf(id)).toBe(JSON.stringify(id));
  });

  test('hashes what is over 512 bytes, and only that', () => {
    expect(idOf('x'.repeat(512))).toBe('x'.repeat(512));
    expect(idOf('x'.repeat(513))).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(idOf('ü'.repeat(256))).toBe('ü'.repeat(256));
    expect(idOf('ü'.repeat(257))).toMatch(/^sha256:/);
    expect(idOf('x'.repeat(513))).not.toBe(idOf('x'.repeat(514)));
  });

  test('property: different keys have different ids, of at most 512 bytes', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.string({ minLength: 500, maxLength: 600 }),
    );
    // Half of the pairs: a value and its own text as a string, the pairs that could clash.
    const pair = fc.oneof(
      fc.tuple(value, value),
      value.map((each) => [each, String(each)] as const),
      value.map((each) => [each, idOf(each)] as const),
    );
    fc.assert(
      fc.property(pair, ([a, b]) => {
        expect(idOf(a) === idOf(b)).toBe(recordKeyOf(a) === recordKeyOf(b));
        expect(Buffer.byteLength(idOf(a))).toBeLessThanOrEqual(512);
      }),
      { numRuns: 2000 },
    );
  });
});
