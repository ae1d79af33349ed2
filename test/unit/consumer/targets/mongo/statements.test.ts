import { BSON, BSONRegExp, Long, ObjectId, Timestamp } from 'bson';
import { describe, expect, test } from 'vitest';
import { closeSection, sectionStart } from '#consumer/targets/mongo/document-sequence.js';
import { Statements } from '#consumer/targets/mongo/statements.js';

const raw = (document: object): Buffer => Buffer.from(BSON.serialize(document));
const START = sectionStart('updates').length;

function begun(initialBytes = 1): Statements {
  const statements = new Statements(initialBytes);
  statements.begin('updates');
  return statements;
}

/** The documents of a section, without the collation that each states. */
function read(statements: Statements, options: BSON.DeserializeOptions = {}): BSON.Document[] {
  const section = statements.section();
  expect(section.subarray(0, START)).toEqual(
    closeSection(Buffer.concat([sectionStart('updates'), section.subarray(START)])).subarray(0, START),
  );
  const documents: BSON.Document[] = [];
  for (let at = START; at < section.length; at += section.readInt32LE(at)) {
    const { collation, ...statement } = BSON.deserialize(section.subarray(at, at + section.readInt32LE(at)), options);
    expect(collation).toEqual({ locale: 'simple' });
    documents.push(statement);
  }
  return documents;
}

describe('Statements', () => {
  test('an upsert replaces by _id, with the very bytes of the document', () => {
    const document = raw({ _id: new ObjectId(), a: 1, nested: { b: ['x', null] } });
    const statements = begun();
    statements.upsert(document);
    expect(read(statements)).toMatchObject([{ q: { _id: expect.any(ObjectId) }, upsert: true }]);
    expect(statements.section().includes(document)).toBe(true);
    expect(statements.count).toBe(1);
  });

  test('statements follow one another', () => {
    const statements = begun();
    statements.upsert(raw({ _id: 1 }));
    statements.delete({ type: 0x10, bytes: Buffer.from([2, 0, 0, 0]) });
    expect(read(statements)).toEqual([
      { q: { _id: 1 }, u: { _id: 1 }, upsert: true },
      { q: { _id: 2 }, limit: 1 },
    ]);
    expect(statements.count).toBe(2);
  });

  test.each([
    ['a document', { a: 1 }],
    ['a document that looks like an operator', { $gt: 0 }],
    ['a regular expression', new BSONRegExp('a')],
  ])('compares %s as a value', (_, id) => {
    const statements = begun();
    statements.upsert(raw({ _id: id }));
    expect(read(statements, { bsonRegExp: true })[0]?.['q']).toEqual({ _id: { $eq: id } });
  });

  test.each([
    ['a name that begins with $', { _id: 1, $inc: { a: 1 } }],
    ['a Timestamp(0, 0)', { _id: 1, at: new Timestamp({ t: 0, i: 0 }) }],
  ])('takes a document with %s literally', (_, document) => {
    const statements = begun();
    statements.upsert(raw(document));
    expect(read(statements)[0]?.['u']).toEqual([{ $replaceWith: { $literal: document } }]);
  });

  test('a nested Timestamp(0, 0) needs nothing special', () => {
    const statements = begun();
    statements.upsert(raw({ _id: 1, nested: { at: new Timestamp({ t: 0, i: 0 }) } }));
    expect(read(statements)[0]?.['u']).not.toBeInstanceOf(Array);
  });

  test('refuses a document without an _id', () => {
    expect(() => begun().upsert(raw({ a: 1 }))).toThrow('no _id');
  });

  const guard = { field: Buffer.from('_tw\0'), position: { t: 1_700_000_000, i: 7 } };
  const version = Long.fromBigInt((1_700_000_000n << 32n) | 7n);
  const field = (dotted: string) => ({
    path: dotted.split('.').map((piece) => Buffer.from(piece)),
    name: Buffer.from(`${dotted}\0`),
  });
  const exact = { promoteLongs: false };

  test.each([
    ['plain', raw({ _id: 1, a: 'x' }), { _id: 1, a: 'x', _tw: version }],
    ['literal', raw({ _id: 1, $a: 'x' }), [{ $replaceWith: { $literal: { _id: 1, $a: 'x', _tw: version } } }]],
  ])('a guarded upsert matches nothing newer, and carries its version: %s', (_, document, u) => {
    const statements = begun();
    statements.upsert(document, [], guard);
    statements.delete({ type: 0x10, bytes: Buffer.from([2, 0, 0, 0]) }, guard);
    expect(read(statements, exact)).toEqual([
      { q: { _id: 1, _tw: { $not: { $gt: version } } }, u, upsert: true },
      { q: { _id: 2, _tw: { $not: { $gt: version } } }, limit: 1 },
    ]);
  });

  test('a shard key is part of the query, and what had another one is deleted', () => {
    const statements = begun();
    const document = raw({ _id: 1, region: 'eu', customer: { id: { n: 5 } } });
    const key = [field('region'), field('customer.id'), field('missing.x')];
    statements.purge(document, key, guard);
    statements.upsert(document, key);
    const values = { region: 'eu', 'customer.id': { $eq: { n: 5 } }, 'missing.x': null };
    expect(read(statements, exact)).toEqual([
      { q: { _id: 1, $nor: [values], _tw: { $not: { $gt: version } } }, limit: 0 },
      { q: { _id: 1, ...values }, u: BSON.deserialize(document), upsert: true },
    ]);
  });

  test('begins anew in the same memory', () => {
    const statements = begun();
    statements.upsert(raw({ _id: 1, text: 'x'.repeat(1_000_000) }));
    const { capacity } = statements;
    statements.begin('updates');
    expect(read(statements)).toEqual([]);
    expect(statements).toMatchObject({ count: 0, capacity });
  });
});
