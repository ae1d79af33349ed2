import { BSON, BSONRegExp, ObjectId, Timestamp } from 'bson';
import { describe, expect, test } from 'vitest';
import { Statements } from '../../../../../packages/consumer/src/apply/mongo/statements.js';

const raw = (document: object): Buffer => Buffer.from(BSON.serialize(document));
const read = (statements: Statements): BSON.Document => BSON.deserialize(statements.written(), { promoteValues: false });

describe('Statements', () => {
  test('an upsert replaces by _id, with the very bytes of the document', () => {
    const document = raw({ _id: new ObjectId(), a: 1, nested: { b: ['x', null] } });
    const statements = new Statements(1);
    statements.upsert(document);
    expect(read(statements)).toMatchObject({ q: { _id: expect.any(ObjectId) }, upsert: true });
    expect(statements.written().includes(document)).toBe(true);
    expect(statements.count).toBe(1);
  });

  test('statements follow one another', () => {
    const statements = new Statements(1);
    statements.upsert(raw({ _id: 1 }));
    const first = statements.length;
    statements.delete({ type: 0x10, bytes: Buffer.from([2, 0, 0, 0]) });
    const second = BSON.deserialize(statements.written().subarray(first));
    expect(second).toEqual({ q: { _id: 2 }, limit: 1 });
    expect(statements.count).toBe(2);
  });

  test.each([
    ['a document', { a: 1 }],
    ['a document that looks like an operator', { $gt: 0 }],
    ['a regular expression', new BSONRegExp('a')],
  ])('compares %s as a value', (_, id) => {
    const statements = new Statements();
    statements.upsert(raw({ _id: id }));
    expect(BSON.deserialize(statements.written(), { bsonRegExp: true })['q']).toEqual({ _id: { $eq: id } });
  });

  test.each([
    ['a name that begins with $', { _id: 1, $inc: { a: 1 } }],
    ['a Timestamp(0, 0)', { _id: 1, at: new Timestamp({ t: 0, i: 0 }) }],
  ])('takes a document with %s literally', (_, document) => {
    const statements = new Statements();
    statements.upsert(raw(document));
    expect(BSON.deserialize(statements.written())['u']).toEqual([{ $replaceWith: { $literal: document } }]);
  });

  test('a nested Timestamp(0, 0) needs nothing special', () => {
    const statements = new Statements();
    statements.upsert(raw({ _id: 1, nested: { at: new Timestamp({ t: 0, i: 0 }) } }));
    expect(BSON.deserialize(statements.written())['u']).not.toBeInstanceOf(Array);
  });

  test('refuses a document without an _id', () => {
    expect(() => new Statements().upsert(raw({ a: 1 }))).toThrow('no _id');
  });

  test('gives back what a large document took', () => {
    const statements = new Statements();
    statements.upsert(raw({ _id: 1, text: 'x'.repeat(1_000_000) }));
    statements.reset(500_000);
    expect(statements.written().buffer.byteLength).toBeLessThan(500_000);
    expect(statements.count).toBe(0);
  });
});
