// The walk over raw BSON by example: what it finds, and each way in which bytes are not BSON.
import { BsonCursor, BsonType, cStringEnd, findId, InvalidBsonError, readString, valueSize } from '@tailwater/schema';
import { BSON, ObjectId } from 'bson';
import { describe, expect, it } from 'vitest';

const serialize = (document: BSON.Document): Buffer => Buffer.from(BSON.serialize(document));
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

describe('BsonCursor', () => {
  it('is used for one document after another', () => {
    const cursor = new BsonCursor();
    for (const document of [{ a: 1, b: 'x' }, {}, { c: { d: [1] } }]) {
      cursor.enter(serialize(document), 0);
      const names: string[] = [];
      while (cursor.next()) names.push(cursor.name());
      expect(names).toEqual(Object.keys(document));
    }
  });

  it('enters a document inside another', () => {
    const source = serialize({ o: { ns: 'shop.orders' } });
    const outer = new BsonCursor();
    outer.enter(source, 0);
    outer.next();
    const inner = new BsonCursor();
    inner.enter(source, outer.valueStart);
    expect(inner.next() && inner.name()).toBe('ns');
    expect(readString(source, inner.valueStart)).toBe('shop.orders');
    expect(inner.next()).toBe(false);
  });

  it('finds names longer than its own loop', () => {
    const name = 'n'.repeat(1_000);
    const cursor = new BsonCursor();
    cursor.enter(serialize({ [name]: 1 }), 0);
    expect(cursor.next() && cursor.name()).toBe(name);
  });

  it.each([
    ['no length', ''],
    ['half a length', '05 00'],
    ['a length below the smallest document', '04 00 00 00 00'],
    ['a negative length', 'ff ff ff ff 00'],
    ['a length beyond the buffer', '06 00 00 00 00'],
    ['no zero byte at its end', '05 00 00 00 01'],
  ])('does not enter a document with %s', (_what, digits) => {
    expect(() => new BsonCursor().enter(hex(digits), 0)).toThrow(InvalidBsonError);
  });

  it.each([
    ['a type that is none', '08 00 00 00 55 61 00 00'],
    ['a name without end', '07 00 00 00 0a 61 00'],
    ['a value beyond the document, inside the buffer', '08 00 00 00 10 61 00 00 00 00 00 00'],
    ['a string of negative length', '0d 00 00 00 02 61 00 f0 ff ff ff 00 00'],
    ['a string without its zero byte', '0c 00 00 00 02 61 00 00 00 00 00 00'],
    ['a document of length zero', '0c 00 00 00 03 61 00 00 00 00 00 00'],
    ['a document of negative length', '0c 00 00 00 03 61 00 00 00 00 80 00'],
    ['a binary of negative length', '0d 00 00 00 05 61 00 ff ff ff ff 00 00'],
    ['code with scope that is longer than its parts', '1b 00 00 00 0f 61 00 13 00 00 00 02 00 00 00 78 00 05 00 00 00 00 00 00 00 00 00'],
    ['code with a negative scope', '15 00 00 00 0f 61 00 0d 00 00 00 f5 ff ff ff 05 00 00 00 00 00'],
    ['a regular expression without its options’ end', '0a 00 00 00 0b 61 00 78 00 00'],
  ])('refuses %s', (_what, digits) => {
    const cursor = new BsonCursor();
    cursor.enter(hex(digits), 0);
    expect(() => cursor.next()).toThrow(InvalidBsonError);
  });
});

describe('valueSize', () => {
  it('refuses a value that runs past its buffer', () => {
    expect(valueSize(Buffer.alloc(8), BsonType.int64, 0)).toBe(8);
    expect(() => valueSize(Buffer.alloc(8), BsonType.int64, 1)).toThrow(InvalidBsonError);
    expect(() => valueSize(Buffer.alloc(3), BsonType.string, 0)).toThrow(InvalidBsonError);
    expect(() => valueSize(hex('02 00 00 00 61'), BsonType.string, 0)).toThrow(InvalidBsonError);
  });
});

describe('cStringEnd', () => {
  it.each([0, 39, 40, 41, 500])('finds the end of a name of %i bytes', (length) => {
    expect(cStringEnd(Buffer.from(`..${'n'.repeat(length)}\0`), 2)).toBe(2 + length);
  });

  it('refuses a name without end, or outside the buffer', () => {
    expect(() => cStringEnd(Buffer.from('name'), 0)).toThrow(InvalidBsonError);
    expect(() => cStringEnd(Buffer.from('name\0'), 9)).toThrow(InvalidBsonError);
  });
});

describe('findId', () => {
  it('finds the _id wherever it stands', () => {
    const id = new ObjectId();
    const source = serialize({ name: 'x', nested: { _id: 1 }, _id: id });
    const found = findId(source);
    expect(found?.type).toBe(BsonType.objectId);
    expect(source.subarray(found?.start, found?.end).toString('hex')).toBe(id.toHexString());
  });

  it('finds none', () => {
    expect(findId(serialize({ nested: { _id: 1 }, _idx: 2, _i: 3 }))).toBeUndefined();
  });
});
