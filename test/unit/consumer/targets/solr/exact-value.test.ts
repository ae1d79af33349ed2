import { Binary, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonBuffer } from '#consumer/targets/json/json-buffer.js';
import { exactNumber, fitsFloat } from '#consumer/targets/solr/exact-decimal.js';
import { FieldTree } from '#consumer/targets/solr/field-tree.js';
import { Flattener } from '#consumer/targets/solr/flattener.js';
import { raw } from '#test/integration/consumer/support/bson-zoo.js';
import { schemaOf } from '#test/unit/consumer/apply/solr/support/schema-of.js';

const TYPES = {
  i: 'pint',
  l: 'plong',
  f: 'pfloat',
  d: 'pdouble',
  at: 'pdate',
  b: 'boolean',
  u: 'uuid',
  bin: 'base64',
  t: 'trie',
  s: 'string',
};
const schema = schemaOf({ fields: Object.entries(TYPES).map(([name, type]) => ({ name, type })) });

/** The JSON of the value in this field; undefined when it is refused. */
function written(field: keyof typeof TYPES, value: unknown): string | undefined {
  const out = new JsonBuffer(16);
  try {
    new Flattener(out, () => undefined).document(raw({ [field]: value }), new FieldTree(schema, new Set()));
  } catch (error) {
    expect(error).toMatchObject({ name: 'UnfitValueError', code: 'TW1376', message: expect.stringContaining(TYPES[field]) });
    return undefined;
  }
  return out.written().toString('utf8').slice(`,"${field}":`.length);
}

const long = (text: string) => Long.fromString(text);
const decimal = (text: string) => Decimal128.fromString(text);

describe('what a field holds exactly is written', () => {
  test.each([
    ['i', new Int32(-2147483648), '-2147483648'],
    ['i', new Double(3), '3.0'],
    ['i', long('2147483647'), '2147483647'],
    ['i', '42', '42'],
    ['t', new Int32(7), '7'],
    ['l', long('9223372036854775807'), '9223372036854775807'],
    ['l', new Double(1e18), '1000000000000000000.0'],
    ['l', decimal('12E+3'), '12000'],
    ['l', decimal('12.00'), '12'],
    ['f', new Double(19.99), '19.99'],
    ['f', new Int32(16777216), '16777216'],
    ['d', long('9007199254740992'), '9007199254740992'],
    ['d', long('9007199254740994'), '9007199254740994'],
    ['d', decimal('12.50'), '12.5'],
    ['d', '1e-7', '1e-7'],
    ['at', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['at', '2024-02-29T12:00:00.1Z', '"2024-02-29T12:00:00.1Z"'],
    ['b', false, 'false'],
    ['b', 'true', '"true"'],
    ['u', new UUID('3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab'), '"3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab"'],
    ['bin', new Binary(Buffer.from('hello')), '"aGVsbG8="'],
    ['s', new Double(19.99), '19.99'],
    ['s', 'NOW', '"NOW"'],
  ] as const)('%s takes %j', (field, value, expected) => {
    expect(written(field, value)).toBe(expected);
  });
});

describe('what it would change is refused', () => {
  test.each([
    ['i', long('3000000000')],
    ['i', new Double(3.5)],
    ['i', '042'],
    ['i', true],
    ['t', long('2147483648')],
    ['l', new Double(19.99)],
    ['l', new Double(2 ** 63)],
    ['l', decimal('19.99')],
    ['l', decimal('1E+30')],
    ['l', 'many'],
    ['l', new Date(0)],
    ['f', new Int32(16777217)],
    ['f', new Double(0.1 + 0.2)],
    ['f', new Double(1e39)],
    ['d', long('9007199254740993')],
    ['d', decimal('12345678901234567890.123')],
    ['d', '0x10'],
    ['d', ' 5'],
    ['d', 'NaN'],
    ['at', 'NOW'],
    ['at', '2024-02-30T00:00:00Z'],
    ['at', '2024-01-01T24:00:00Z'],
    ['at', '2024-01-01T00:00:00.123456Z'],
    ['at', '2024-01-01T00:00:00Z+1DAY'],
    ['at', new Int32(5)],
    ['b', 'yes'],
    ['b', new Int32(1)],
    ['u', 'NEW'],
    ['u', ''],
    ['bin', 'hello'],
    ['bin', new ObjectId('507f1f77bcf86cd799439011')],
  ] as const)('%s does not take %j', (field, value) => {
    expect(written(field, value)).toBeUndefined();
  });

  test('a decimal that is no number is left out of numbers, as a double is', () => {
    expect(written('d', decimal('NaN'))).toBe('');
    expect(written('l', decimal('-Infinity'))).toBe('');
    expect(written('s', decimal('NaN'))).toBe('"NaN"');
  });
});

describe('numbers, whatever they are', () => {
  test('a field of 32 bits says what it was given, when it was given it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.float({ noNaN: true, noDefaultInfinity: true })),
        (value) => {
          // What stands for the 32 bits in text, found the other way round: the shortest that reads back.
          const held = Math.fround(value);
          let said = held;
          for (let digits = 1; digits <= 9; digits++) {
            said = Number(held.toPrecision(digits));
            if (Math.fround(said) === held) break;
          }
          expect(fitsFloat(value)).toBe(said === value || held === value);
        },
      ),
    );
    for (let cents = -200_000; cents < 200_000; cents += 7) expect(fitsFloat(cents / 100)).toBe(true);
  });

  test('text of a number keeps its value, or is refused', () => {
    const text = fc.tuple(fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }), fc.integer({ min: -30, max: 5 }));
    fc.assert(
      fc.property(text, ([digits, exponent]) => {
        const number = `${digits}E${exponent}`;
        const scale = 10n ** 40n;
        /** Both as whole numbers of 10^-40. */
        const exact = digits * 10n ** BigInt(40 + exponent);
        for (const kind of ['int', 'long', 'double', 'float'] as const) {
          const back = exactNumber(number, kind);
          if (back === undefined) continue;
          const [, mantissa = '', fraction = '', power = '0'] = /^(-?\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(back) ?? [];
          const shift = 40 + Number(power) - fraction.length;
          expect(BigInt(mantissa + fraction) * 10n ** BigInt(shift)).toBe(exact);
          if (kind === 'long' || kind === 'int') expect(exact % scale).toBe(0n);
        }
      }),
    );
  });

  test('integers of 64 bits are in a double exactly, or not at all', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(written('l', Long.fromBigInt(value))).toBe(String(value));
        const back = written('d', Long.fromBigInt(value));
        expect(back).toBe(BigInt(Number(value)) === value ? String(value) : undefined);
      }),
    );
  });
});
