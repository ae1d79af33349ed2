import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BsonToJson } from '#consumer/targets/elasticsearch/bson-to-json.js';
import { fieldName } from '#consumer/targets/elasticsearch/field-name.js';
import { JsonBuffer } from '#consumer/targets/json/json-buffer.js';

function write(document: Uint8Array): { text: string; droppedValues: number } {
  const out = new JsonBuffer(16); // Small, so that it grows wherever it can.
  const json = new BsonToJson(out);
  json.document(Buffer.from(document));
  return { text: out.written().toString('utf8'), droppedValues: json.droppedValues };
}

const jsonOf = (value: unknown): string => write(BSON.serialize({ value }, { ignoreUndefined: false })).text;

/** A BSON value beside the JSON text that the table in bson-to-json.ts promises for it; undefined when it is left out. */
interface Expected {
  readonly value: unknown;
  readonly json: string | undefined;
}

const quoted = (text: string): string => JSON.stringify(text);
const configOption = fc.oneof(
  fc.string({ unit: 'binary' }).map((text): Expected => ({ value: text, json: quoted(text) })),
  fc.string().map((text): Expected => ({ value: text, json: quoted(text) })),
  fc.integer().map((value): Expected => ({ value: new Int32(value), json: String(value) })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value): Expected => ({ value: Long.fromBigInt(value), json: value.toString() })),
  fc.double().map((value): Expected => ({ value: new Double(value), json: doubleText(value) })),
  fc.constantFrom(0, -0, 1, -1, 1e15, 1e21, -1e300, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER).map((value): Expected => {
    return { value: new Double(value), json: doubleText(value) };
  }),
  fc
    .tuple(fc.integer(), fc.constantFrom(10, 100, 1000, 3))
    .map(([n, d]): Expected => ({ value: new Double(n / d), json: doubleText(n / d) })),
  fc.boolean().map((value): Expected => ({ value, json: String(value) })),
  fc.constant<Expected>({ value: null, json: 'null' }),
  fc.constant<Expected>({ value: undefined, json: 'null' }),
  fc.constant<Expected>({ value: new MinKey(), json: '"MinKey"' }),
  fc.constant<Expected>({ value: new MaxKey(), json: '"MaxKey"' }),
  fc
    .uint8Array({ minLength: 12, maxLength: 12 })
    .map((bytes): Expected => ({ value: new ObjectId(bytes), json: quoted(Buffer.from(bytes).toString('hex')) })),
  fc
    .date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((value): Expected => ({ value, json: quoted(value.toISOString()) })),
  fc.uint8Array().map((bytes): Expected => ({ value: new Binary(bytes), json: quoted(Buffer.from(bytes).toString('base64')) })),
  fc.uuid().map((uuid): Expected => ({ value: new UUID(uuid), json: quoted(uuid) })),
  fc.tuple(fc.integer({ min: 0 }), fc.integer({ min: 0 })).map(([t, i]): Expected => {
    return { value: new Timestamp({ t, i }), json: `{"t":${t},"i":${i}}` };
  }),
  fc.string().map((text): Expected => ({ value: new BSONSymbol(text), json: quoted(text) })),
  fc.string().map((text): Expected => ({ value: new Code(text), json: quoted(text) })),
  fc.constantFrom('1.10', '-0', '1E+6144', 'NaN', '12345678901234567890.1234567890').map((text): Expected => {
    return { value: Decimal128.fromString(text), json: quoted(Decimal128.fromString(text).toString()) };
  }),
);

const { tree } = fc.letrec<{ tree: Expected; object: Expected; array: Expected }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4, withCrossShrink: true }, configOption, tie('object'), tie('array')),
  object: fc
    .dictionary(
      fc.string().filter((name) => !name.includes('\0') && !/^\d+$/.test(name)),
      tie('tree'),
      { noNullPrototype: true },
    )
    .map((members) => {
      const entries = Object.entries(members);
      const kept = entries.filter(([, { json }]) => json !== undefined);
      return {
        value: new Map(entries.map(([name, { value }]) => [name, value])),
        json: `{${kept.map(([name, { json }]) => `${quoted(fieldName(name, false))}:${json}`).join(',')}}`,
      };
    }),
  array: fc.array(tie('tree')).map((elements) => ({
    value: elements.map(({ value }) => value),
    json: `[${elements.map(({ json }) => json ?? 'null').join(',')}]`,
  })),
}));

function doubleText(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined;
  const text = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

describe('BsonToJson', () => {
  test('property: any document becomes the JSON of the table', () => {
    fc.assert(
      fc.property(tree, ({ value, json }) => {
        const document = BSON.serialize(new Map([['value', value]]) as never, { ignoreUndefined: false });
        const { text } = write(document);
        expect(text).toBe(json === undefined ? '{}' : `{"value":${json}}`);
        JSON.parse(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('leaves the top-level _id out, and no other', () => {
    expect(write(BSON.serialize({ a: 1, _id: 5, b: { _id: 6 } })).text).toBe('{"a":1,"b":{"_id":6}}');
    expect(write(BSON.serialize({ _id: 5 })).text).toBe('{}');
  });

  test('counts the numbers that JSON cannot say', () => {
    const document = { a: Number.NaN, b: [1.5, Number.POSITIVE_INFINITY], c: Number.NEGATIVE_INFINITY, d: 2.5 };
    expect(write(BSON.serialize(document))).toEqual({ text: '{"b":[1.5,null],"d":2.5}', droppedValues: 3 });
  });

  test('replaces bytes that are not UTF-8, and escapes what is around them', () => {
    const document = Buffer.from(BSON.serialize({ näme: 'before " XX after \n ü' }));
    document.write('\xff\xfe', document.indexOf('XX'), 'latin1');
    expect(JSON.parse(write(document).text)).toEqual({ näme: 'before " \ufffd\ufffd after \n ü' });
  });

  test('copies long strings with escapes in them whole', () => {
    const text = `${'x'.repeat(100_000)}"${'ü'.repeat(50_000)}\u0001${'y'.repeat(100)}`;
    expect(jsonOf(text)).toBe(JSON.stringify({ value: text }));
  });

  test.each([
    [new Date('1969-12-31T23:59:59.999Z'), '"1969-12-31T23:59:59.999Z"'],
    [new Date('0000-02-29T00:00:00.000Z'), '"0000-02-29T00:00:00.000Z"'],
    [new Date('2000-02-29T12:34:56.007Z'), '"2000-02-29T12:34:56.007Z"'],
    [new Date('+010000-01-01T00:00:00.000Z'), '253402300800000'],
    [new Date('-000001-12-31T23:59:59.999Z'), '"-0001-12-31T23:59:59.999Z"'],
    [new Date('-009999-01-01T00:00:00.000Z'), '"-9999-01-01T00:00:00.000Z"'],
    [new Date('-010000-12-31T23:59:59.999Z'), '-377705116800001'],
  ])('writes the date %s as %s', (date, json) => {
    expect(jsonOf(date)).toBe(`{"value":${json}}`);
  });

  test('writes dates that JavaScript has not as their milliseconds', () => {
    const document = Buffer.from(BSON.serialize({ value: new Date(0) }));
    document.writeBigInt64LE(2n ** 63n - 1n, document.length - 9);
    expect(write(document).text).toBe('{"value":9223372036854775807}');
  });

  test.each([
    [new BSONRegExp('a/b"', 'im'), '"/a/b\\"/im"'],
    [new Code('f()', { x: 1 }), '{"code":"f()","scope":{"x":1}}'],
    [new DBRef('c', new ObjectId('507f1f77bcf86cd799439011'), 'd'), '{"$ref":"c","$id":"507f1f77bcf86cd799439011","$db":"d"}'],
    [new Binary(Buffer.from('abc'), Binary.SUBTYPE_BYTE_ARRAY), '"YWJj"'],
    [new Binary(Buffer.alloc(15), Binary.SUBTYPE_UUID_OLD), `"${Buffer.alloc(15).toString('base64')}"`],
  ])('writes %o as %s', (value, json) => {
    expect(jsonOf(value)).toBe(`{"value":${json}}`);
  });

  test('writes a DBPointer like a DBRef', () => {
    const body = Buffer.concat([
      Buffer.from('\x0cp\0\x04\0\0\0a.b\0', 'latin1'),
      Buffer.from('507f1f77bcf86cd799439011', 'hex'),
      Buffer.alloc(1),
    ]);
    const document = Buffer.concat([Buffer.alloc(4), body]);
    document.writeInt32LE(document.length);
    expect(write(document).text).toBe('{"p":{"$ref":"a.b","$id":"507f1f77bcf86cd799439011"}}');
  });

  test('keeps the order of integer-like names, and names that come twice', () => {
    const document = Buffer.from('\x1d\0\0\0\x102\0\x01\0\0\0\x101\0\x02\0\0\0\x102\0\x03\0\0\0\0\0\0', 'latin1');
    const body = Buffer.concat([document.subarray(4, 25), Buffer.alloc(1)]);
    const framed = Buffer.concat([Buffer.alloc(4), body]);
    framed.writeInt32LE(framed.length);
    expect(write(framed).text).toBe('{"2":1,"1":2,"2":3}');
  });

  test('refuses bytes that are not BSON', () => {
    const document = Buffer.from(BSON.serialize({ value: 'text' }));
    document[4] = 0x77;
    expect(() => write(document)).toThrow('Unknown BSON type');
  });
});
