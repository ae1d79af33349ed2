// Whatever a document's `_id` is, the driver must send the same bytes back to the server.
import { findId, type RawValue } from '@tailwater/schema';
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
import { describe, expect, it } from 'vitest';
import { idDocument, idOf, idValue } from '#producer/source/mongo/id-value.js';
import { arbitraryId } from '#test/property/schema/ids/arbitrary-id.js';
import { exactValue } from '#test/property/schema/ids/exact-number.js';
import { contains, type Fields, type Id } from '#test/property/schema/ids/id.js';
import { documentWithId } from '#test/property/schema/ids/id-bson.js';
import { raw } from '#test/unit/producer/support/entries.js';

function valueIn(source: Buffer): unknown {
  const { type, start, end } = findId(source) as RawValue;
  return idValue(source, type, start, end);
}

const sentAs = (value: unknown): Buffer => Buffer.from(BSON.serialize({ _id: value }));

describe('idValue', () => {
  it.each([
    ['ObjectId', new ObjectId()],
    ['string', 'ä\u0000😀'],
    ['empty string', ''],
    ['symbol', new BSONSymbol('s')],
    ['int', new Int32(-5)],
    ['long', Long.fromString('9007199254740993')],
    ['small long', Long.fromNumber(1)],
    ['double', new Double(0.1)],
    ['integral double', new Double(1)],
    ['negative zero', new Double(-0)],
    ['NaN', new Double(Number.NaN)],
    ['infinity', new Double(Number.NEGATIVE_INFINITY)],
    ['decimal', Decimal128.fromString('1.10')],
    ['decimal NaN', Decimal128.fromString('NaN')],
    ['boolean', false],
    ['null', null],
    ['date', new Date(1_700_000_000_123)],
    ['date before 1970', new Date(-1)],
    ['timestamp', new Timestamp({ t: 0xffff_ffff, i: 1 })],
    ['binary', new Binary(Buffer.of(1, 2, 3), 0x80)],
    ['old binary', new Binary(Buffer.of(1, 2, 3), 2)],
    ['UUID', new UUID()],
    ['old UUID', new Binary(Buffer.alloc(16, 3), 3)],
    ['MinKey', new MinKey()],
    ['MaxKey', new MaxKey()],
    ['code', new Code('x => x')],
    ['code with scope', new Code('x => x', { a: new Int32(1) })],
    ['document', { a: new Int32(1), b: { c: [new Double(1), 'x', { d: null }] } }],
    ['empty document', {}],
    ['document with a field __proto__', JSON.parse('{"__proto__": {"a": "b"}}')],
    ['document that holds a regular expression', { a: new BSONRegExp('^a', 'im') }],
  ])('%s', (_, id) => {
    expect(sentAs(valueIn(raw({ _id: id })))).toEqual(raw({ _id: id }));
  });

  it('keeps the order of fields whose names look like integers, at any depth', () => {
    const id = new Map<string, unknown>([
      ['b', new Int32(1)],
      ['2024', new Int32(2)],
      [
        '1',
        [
          new Map([
            ['z', 'x'],
            ['0', 'y'],
          ]),
        ],
      ],
    ]);
    expect(sentAs(valueIn(raw({ _id: id })))).toEqual(raw({ _id: id }));
  });

  it('does not take a document for a reference', () => {
    const id = new DBRef('orders', new ObjectId(), 'shop', { note: 'x' });
    expect(sentAs(valueIn(raw({ _id: id })))).toEqual(raw({ _id: id }));
  });

  it('finds the value in the middle of an entry', () => {
    const source = raw({ before: 1, o2: { region: 'eu', _id: 'x' } });
    const { type, start, end } = findId(source, source.indexOf('o2') + 3) as RawValue;
    expect([idValue(source, type, start, end), idDocument(source, type, start, end)]).toEqual(['x', raw({ _id: 'x' })]);
  });

  const text = (hex: string): Id => ({ kind: 'string', text: Buffer.from(hex, 'hex') });
  const field = (name: string, value: Id): Fields[number] => [Buffer.from(name), value];
  it.each<[string, Id]>([
    ['text that is not UTF-8', text('61ff')],
    ['such text in a document', { kind: 'object', fields: [field('a', text('c3'))] }],
    ['a name that is not UTF-8', { kind: 'object', fields: [[Buffer.of(0xff), text('61')]] }],
    ['a document with a name twice', { kind: 'object', fields: [field('a', text('61')), field('a', text('61'))] }],
    ['a date beyond JavaScript’s', { kind: 'date', ms: 8_640_000_000_000_001n }],
    ['a DBPointer', { kind: 'dbPointer', namespace: Buffer.from('a.b'), id: Buffer.alloc(12) }],
  ])('sends %s by its bytes, alone and in a list', (_, id) => {
    const source = documentWithId(id);
    const value = valueIn(source);
    expect(sentAs(value)).toEqual(source);
    const [inList, alone] = [BSON.serialize({ $in: Array(12).fill(value), more: 1 }), BSON.serialize({ $in: [value] })];
    const { start, end } = findId(source) as RawValue;
    expect(Buffer.from(inList).indexOf(source.subarray(start, end))).toBeGreaterThan(0);
    expect(inList.length - alone.length).toBe(11 * (end - start) + 11 * 3 + 2 + 10);
  });

  it('has no value for undefined, which no document has for its _id', () => {
    expect(valueIn(documentWithId({ kind: 'undefined' }))).toBeUndefined();
  });

  it('gives the same bytes, or says that it cannot', () => {
    let exact = 0;
    fc.assert(
      fc.property(arbitraryId, (id) => {
        const source = documentWithId(id);
        const value = valueIn(source);
        if (value === undefined) return;
        exact += 1;
        // Every NaN is the same to the server.
        if (!contains(id, (inner) => inner.kind === 'double' && exactValue(inner) === 'NaN')) expect(sentAs(value)).toEqual(source);
      }),
      { numRuns: 2000 },
    );
    expect(exact).toBeGreaterThan(1000);
  });
});

describe('idOf', () => {
  it('is the value that idDocument wrapped', () => {
    const source = raw({
      a: 1,
      _id: new Map([
        ['b', 1],
        ['1', 2],
      ]),
    });
    const { type, start, end } = findId(source) as RawValue;
    expect(sentAs(idOf(idDocument(source, type, start, end)))).toEqual(idDocument(source, type, start, end));
  });
});
