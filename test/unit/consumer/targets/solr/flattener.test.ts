import { type Document, Double, Int32, Timestamp } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonBuffer } from '#consumer/targets/json/json-buffer.js';
import { FieldTree } from '#consumer/targets/solr/field-tree.js';
import { Flattener } from '#consumer/targets/solr/flattener.js';
import { raw } from '#test/integration/consumer/support/bson-zoo.js';
import { schemaOf } from '#test/unit/consumer/apply/solr/support/schema-of.js';

const names = (...all: string[]) => all.map((name) => ({ name, type: 'string' }));
const multi = (...all: string[]) => all.map((name) => ({ name, type: 'strings' }));

function flattening(schema: Parameters<typeof schemaOf>[0], reserved: readonly string[] = []) {
  const out = new JsonBuffer(16); // Small, so that it grows wherever it can.
  const unknown: string[] = [];
  const flattener = new Flattener(out, ({ path }) => unknown.push(path));
  const tree = new FieldTree(schemaOf(schema), new Set(reserved));
  const flatten = (document: Document) => {
    out.reset();
    flattener.document(raw(document), tree);
    return `{${out.written().toString('utf8').slice(1)}}`;
  };
  return { flatten, flattener, unknown };
}

describe('Flattener', () => {
  test('objects become dotted names, objects in arrays indexed ones, and arrays of scalars one field of several values', () => {
    const { flatten } = flattening({ fields: [...names('a.b', 'a.c.d', 'list.0.x', 'list.2.x'), ...multi('tags', 'list.1')] });
    const document = { a: { b: 'one', c: { d: 'two' } }, tags: ['u', null, 'v'], list: [{ x: 'y' }, ['p', 'q'], { x: 'z' }] };
    expect(JSON.parse(flatten(document))).toEqual({
      'a.b': 'one',
      'a.c.d': 'two',
      tags: ['u', 'v'],
      'list.0.x': 'y',
      'list.1': ['p', 'q'],
      'list.2.x': 'z',
    });
  });

  test('the top-level _id is left to the unique key, another _id is a field', () => {
    const { flatten } = flattening({ fields: names('_id', 'a._id') });
    expect(flatten({ _id: 'x', a: { _id: 'y' } })).toBe('{"a._id":"y"}');
  });

  test('null and empty containers leave nothing, and are not counted', () => {
    const { flatten, flattener } = flattening({ dynamicFields: multi('*') });
    expect(flatten({ a: null, b: {}, c: [], d: [null], e: undefined })).toBe('{}');
    expect(flattener.droppedFields + flattener.droppedValues).toBe(0);
  });

  test('what the schema lacks is left out, counted and named', () => {
    const { flatten, flattener, unknown } = flattening({ fields: names('known', 'single') });
    expect(flatten({ known: 'x', other: 'y', deep: { er: 1 }, single: ['a', 'b'], list: [1, 2] })).toBe('{"known":"x"}');
    expect(flattener.droppedFields).toBe(6);
    expect(unknown).toEqual(['other', 'deep.er', 'single', 'single', 'list', 'list']);
  });

  test('scalars of an array without a field of several values go by index where the schema says so', () => {
    const { flatten } = flattening({ dynamicFields: names('list.*') });
    expect(flatten({ list: ['a', 'b'] })).toBe('{"list.0":"a","list.1":"b"}');
  });

  test('numbers that JSON cannot say are left out and counted', () => {
    const { flatten, flattener } = flattening({ dynamicFields: multi('*') });
    expect(flatten({ a: new Double(Number.NaN), b: [new Double(Number.POSITIVE_INFINITY), new Double(1.5)] })).toBe('{"b":[1.5]}');
    expect(flattener.droppedValues).toBe(2);
  });

  test('names that the consumer or Solr keep for themselves are left out and counted', () => {
    const { flatten, flattener } = flattening({ dynamicFields: names('*') }, ['id', '_version_']);
    expect(flatten({ id: 'x', _version_: new Int32(1), a: { id: 'y' } })).toBe('{"a.id":"y"}');
    expect(flattener.droppedFields).toBe(2);
  });

  test('a timestamp is two fields', () => {
    const { flatten } = flattening({ dynamicFields: names('*') });
    expect(flatten({ at: new Timestamp({ t: 4_000_000_000, i: 7 }) })).toBe('{"at.t":4000000000,"at.i":7}');
  });

  test('documents of any shape, one after the other, come out as each alone does', () => {
    // The tree expects the names of the document before.
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string({ maxLength: 3 }),
        fc.integer({ min: -9, max: 9 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'ü', 'a.b'), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    const document = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'list'), value, { maxKeys: 4 });
    fc.assert(
      fc.property(fc.array(document, { minLength: 2, maxLength: 5 }), (documents) => {
        const schema = { fields: multi('list', 'a'), dynamicFields: [...names('*.b', 'c*'), ...multi('*.ü')] };
        const shared = flattening(schema);
        for (const each of documents) expect(shared.flatten(each as Document)).toBe(flattening(schema).flatten(each as Document));
      }),
    );
  });

  test('a tree of very many names is begun anew, and the documents are the same', () => {
    const { flatten } = flattening({ dynamicFields: names('*') });
    const wide = (from: number) => Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${from + index}`, 'x']));
    for (const from of [0, 20_000, 40_000, 60_000, 0]) expect(JSON.parse(flatten(wide(from)))).toEqual(wide(from));
  });
});
