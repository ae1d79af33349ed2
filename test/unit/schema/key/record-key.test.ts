// Examples of keys by type. That keys are equal exactly when ids are is shown in test/property and, against a server, in
// test/integration.
import { findId, InvalidBsonError, type RawValue, recordKey, recordKeyOf } from '@tailwater/schema';
import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';
import { describe, expect, it } from 'vitest';

describe('the key of an _id', () => {
  it.each<[string, unknown, string]>([
    ['an ObjectId', new ObjectId('65f0c0ffee0123456789abcd'), '{"$oid":"65f0c0ffee0123456789abcd"}'],
    ['a string', 'résumé "1"\n', '"résumé \\"1\\"\\n"'],
    ['a symbol, which equals the string', new BSONSymbol('a'), '"a"'],
    ['a UUID', new UUID('5f0c0ffe-e012-4345-8789-abcdef012345'), '{"$binary":{"base64":"XwwP/uASQ0WHiavN7wEjRQ==","subType":"04"}}'],
    ['a binary of an own subtype', new Binary(Buffer.from('ab'), 0x80), '{"$binary":{"base64":"YWI=","subType":"80"}}'],
    ['a date', new Date('2024-03-12T20:50:07.123Z'), '{"$date":"2024-03-12T20:50:07.123Z"}'],
    ['a date without milliseconds', new Date('2024-03-12T20:50:07Z'), '{"$date":"2024-03-12T20:50:07Z"}'],
    ['the last date that ISO writes in four digits', new Date(253_402_300_799_999), '{"$date":"9999-12-31T23:59:59.999Z"}'],
    ['a later date', new Date(253_402_300_800_000), '{"$date":{"$numberLong":"253402300800000"}}'],
    ['a date before 1970', new Date(-1), '{"$date":{"$numberLong":"-1"}}'],
    ['true', true, 'true'],
    ['null', null, 'null'],
    ['a timestamp', new Timestamp({ t: 0xffff_ffff, i: 1 }), '{"$timestamp":{"t":4294967295,"i":1}}'],
    ['a regular expression', new BSONRegExp('^a/"', 'i'), '{"$regularExpression":{"pattern":"^a/\\"","options":"i"}}'],
    ['code', new Code('f()'), '{"$code":"f()"}'],
    ['code with scope', new Code('f()', { x: 1 }), '{"$code":"f()","$scope":{"x":1}}'],
    ['the smallest key', new MinKey(), '{"$minKey":1}'],
    ['the largest key', new MaxKey(), '{"$maxKey":1}'],
    ['an object, in its order', { b: 1, a: { c: [1, 'x', null] } }, '{"b":1,"a":{"c":[1,"x",null]}}'],
    ['an empty object', {}, '{}'],
    ['an object whose names look like Extended JSON', { $oid: 'a', $$b: 1 }, '{"$$oid":"a","$$$b":1}'],
  ])('of %s', (_what, id, key) => {
    expect(recordKeyOf(id)).toBe(key);
  });

  it.each<[string, string, unknown[]]>([
    ['one', '1', [new Int32(1), Long.fromNumber(1), new Double(1), Decimal128.fromString('1.00'), Decimal128.fromString('10E-1'), 1n]],
    ['zero', '0', [0, -0, new Double(-0), Decimal128.fromString('-0'), Decimal128.fromString('0E+600')]],
    ['a half', '0.5', [0.5, Decimal128.fromString('0.50')]],
    ['a tenth that is decimal', '{"$numberDecimal":"0.1"}', [Decimal128.fromString('0.1'), Decimal128.fromString('1.00E-1')]],
    ['a tenth that is not quite', '0.1', [0.1]],
    ['2^53 + 1', '9007199254740993', [Long.fromString('9007199254740993'), Decimal128.fromString('9007199254740993')]],
    ['2^53', '9007199254740992', [Long.fromString('9007199254740992'), 2 ** 53, Decimal128.fromString('9007199254740992.0')]],
    ['the largest long', '9223372036854775807', [Long.MAX_VALUE, Decimal128.fromString('9223372036854775807')]],
    [
      '2^63, which no long is, by the shortest digits of the double',
      '9223372036854776000',
      [2 ** 63, Decimal128.fromString('9223372036854775808')],
    ],
    ['the smallest long', '-9223372036854775808', [Long.MIN_VALUE, -(2 ** 63), Decimal128.fromString('-9223372036854775808')]],
    ['10^21', '1e+21', [1e21, Decimal128.fromString('1E+21')]],
    [
      'the largest decimal',
      '{"$numberDecimal":"9.999999999999999999999999999999999E+6144"}',
      [Decimal128.fromString('9.999999999999999999999999999999999E+6144')],
    ],
    ['the smallest decimal', '{"$numberDecimal":"-1E-6176"}', [Decimal128.fromString('-1E-6176')]],
    ['not a number', '{"$numberDouble":"NaN"}', [Number.NaN, Decimal128.fromString('NaN')]],
    ['infinity', '{"$numberDouble":"Infinity"}', [Infinity, Decimal128.fromString('Infinity')]],
    ['minus infinity', '{"$numberDouble":"-Infinity"}', [-Infinity, Decimal128.fromString('-Infinity')]],
  ])('is one for every way to write %s', (_what, key, ids) => {
    for (const id of ids) expect(recordKeyOf(id)).toBe(key);
  });

  it.each(['0.1', '-0.001', '1.1', '1234567.89', '0.0000011', '1.1E-7', '9223372036854775809', '1.1E+35', '-1.234E+100'])(
    'writes the decimal %s as the specification does',
    (text) => {
      expect(recordKeyOf(Decimal128.fromString(text))).toBe(`{"$numberDecimal":"${text}"}`);
    },
  );
});

describe('text that is not UTF-8', () => {
  const keyOfBytes = (hex: string): string => {
    const document = Buffer.from(hex, 'hex');
    const { type, start } = findId(document) as RawValue;
    return recordKey(document, type, start);
  };

  it('is kept apart by its bytes', () => {
    // Two strings of one byte each, which both read as U+FFFD.
    expect(keyOfBytes('10000000025f69640002000000ff0000')).toBe('{"$invalidUtf8":"/w=="}');
    expect(keyOfBytes('10000000025f69640002000000fe0000')).toBe('{"$invalidUtf8":"/g=="}');
  });

  it('is kept apart in names', () => {
    const nested = (byte: string): string => keyOfBytes(`12000000035f696400080000000a${byte}000000`);
    expect(nested('ff')).toBe('{"$invalidUtf8:/w==":null}');
    expect(nested('fe')).toBe('{"$invalidUtf8:/g==":null}');
  });

  it('is not mistaken for the replacement character itself', () => {
    expect(recordKeyOf('\ufffd')).toBe('"\ufffd"');
    expect(recordKeyOf({ '\ufffd': 1 })).toBe('{"\ufffd":1}');
  });
});

describe('refusals', () => {
  it('names a type that BSON does not know', () => {
    expect(() => recordKey(Buffer.alloc(4), 0x55, 0)).toThrow(InvalidBsonError);
    expect(() => recordKey(Buffer.alloc(4), 0x55, 0)).toThrow(/0x55/);
  });
});
