import { recordKey, recordKeyOf } from '@tailwater/schema';
import { Binary, BSON, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidKeyError } from '#consumer/targets/mongo/key-json.js';
import { keyToId } from '#consumer/targets/mongo/key-to-id.js';

/** The `_id` value of a document that holds it, as the BSON library writes it. */
function serialized(id: unknown): Buffer {
  const document = Buffer.from(BSON.serialize(new Map([['_id', id]]) as never, { ignoreUndefined: false }));
  return document.subarray(9, document.length - 1);
}

describe('keyToId', () => {
  test.each([
    ['ObjectId', new ObjectId('507f1f77bcf86cd799439011')],
    ['string', 'a"b\\ü\n'],
    ['empty string', ''],
    ['long', Long.fromString('9223372036854775807')],
    ['double', new Double(0.1)],
    ['double beyond 64 bits', new Double(1e20)],
    ['NaN', new Double(Number.NaN)],
    ['infinity', new Double(Number.NEGATIVE_INFINITY)],
    ['decimal', Decimal128.fromString('12345678901234567890.123')],
    ['date', new Date('2024-02-29T12:00:00.123Z')],
    ['date before 1970', new Date(-5)],
    ['boolean', true],
    ['null', null],
    ['binary', new Binary(Buffer.from('abc'), 0x80)],
    ['UUID', new UUID('3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab')],
    ['timestamp', new Timestamp({ t: 4_000_000_000, i: 7 })],
    ['MinKey', new MinKey()],
    ['MaxKey', new MaxKey()],
    ['code', new Code('f()')],
    ['code with scope', new Code('f()', { a: 'b' })],
    ['regex', new BSONRegExp('a.b', 'im')],
    [
      'document',
      new Map<string, unknown>([
        ['b', 'x'],
        [
          'a',
          new Map([
            ['$oid', 'not an ObjectId'],
            ['$$', 'y'],
          ]),
        ],
        ['10', new Double(0.5)],
        ['9', null],
      ]),
    ],
    ['empty document', new Map()],
  ])('gives the bytes of %s back', (_, id) => {
    expect(keyToId(recordKeyOf(id)).bytes.toString('hex')).toBe(serialized(id).toString('hex'));
  });

  test('gives numbers as 64-bit integers, which MongoDB holds equal to the other types', () => {
    expect(keyToId(recordKeyOf(5))).toEqual({ type: 0x12, bytes: serialized(Long.fromInt(5)) });
  });

  test('gives symbols as the equal strings', () => {
    expect(keyToId(recordKeyOf(new BSONSymbol('s')))).toEqual({ type: 0x02, bytes: serialized('s') });
  });

  test('gives strings that are not UTF-8 back', () => {
    const bytes = Buffer.from('\x03\0\0\0\xff\xfe\0', 'latin1');
    expect(keyToId(recordKey(bytes, 0x02, 0)).bytes).toEqual(bytes);
  });

  test('property: the id of a key has that key', () => {
    const configOption = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.date({ noInvalidDate: true }),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, configOption, fc.array(tie('tree'), { maxLength: 4 }), tie('object')),
      object: fc
        .array(
          fc.tuple(
            fc.string().filter((name) => !name.includes('\0')),
            tie('tree'),
          ),
          { maxLength: 4 },
        )
        .map((members) => new Map(members)),
    }));
    fc.assert(
      fc.property(tree, (id) => {
        const key = recordKeyOf(id);
        const { type, bytes } = keyToId(key);
        expect(recordKey(bytes, type, 0)).toBe(key);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['', '{', '[1,]', '{"a"}', 'nope', '{"$later":1}', '1 2', '{"$date":[]}', '{"$binary":{"base64":"AA"}}'])(
    'refuses %j',
    (key) => {
      expect(() => keyToId(key)).toThrow(InvalidKeyError);
    },
  );
});
