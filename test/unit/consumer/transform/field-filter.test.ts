import { BSON, Decimal128, type Document, Double, Int32, Long } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldFilter } from '#consumer/transform/field-filter.js';

const raw = (document: Document): Buffer => Buffer.from(BSON.serialize(document, { ignoreUndefined: false }));
const filter = (mode: 'include' | 'exclude', paths: string[], document: Document): Document => {
  const filtered = new FieldFilter({ mode, paths }).apply(raw(document));
  expect(filtered.readInt32LE(0)).toBe(filtered.length);
  return BSON.deserialize(filtered);
};

describe('FieldFilter', () => {
  it.each<[string[], Document, Document]>([
    [['b'], { _id: 1, a: 1, b: 2, bb: 3 }, { _id: 1, a: 1, bb: 3 }],
    [['a.b'], { _id: 1, a: { b: 1, c: 2 }, b: 3 }, { _id: 1, a: { c: 2 }, b: 3 }],
    [['a.b'], { _id: 1, a: { b: 1 } }, { _id: 1, a: {} }],
    [['a.b', 'a.c.d'], { _id: 1, a: { b: 1, c: { d: 2, e: 3 } } }, { _id: 1, a: { c: { e: 3 } } }],
    [['a', 'a.b'], { _id: 1, a: { b: 1 } }, { _id: 1 }],
    // Through arrays, at any depth; what is no document stays.
    [['a.b'], { _id: 1, a: [{ b: 1, c: 2 }, 5, [{ b: 3 }, 'x']] }, { _id: 1, a: [{ c: 2 }, 5, [{}, 'x']] }],
    [['a.0'], { _id: 1, a: [1, 2] }, { _id: 1, a: [1, 2] }],
    // A path that leads nowhere.
    [['a.b.c', 'x'], { _id: 1, a: { b: 5 } }, { _id: 1, a: { b: 5 } }],
    // Names that hold dots themselves.
    [['a.b'], { _id: 1, 'a.b': 1, 'a.b.c': 2, 'a.bc': 3 }, { _id: 1, 'a.bc': 3 }],
    [['a'], { _id: 1, 'a.b': 1, ab: 2 }, { _id: 1, ab: 2 }],
    [['a.b.c'], { _id: 1, 'a.b': { c: 1, d: 2 } }, { _id: 1, 'a.b': { d: 2 } }],
    // The _id stays whole.
    [['_id', '_id.x', 'a._id'], { _id: { x: 1 }, a: { _id: 2 } }, { _id: { x: 1 }, a: {} }],
    [['größe'], { _id: 1, größe: 5 }, { _id: 1 }],
  ])('without %j: %j', (paths, document, expected) => {
    expect(filter('exclude', paths, document)).toEqual(expected);
  });

  it.each<[string[], Document, Document]>([
    [['b'], { _id: 1, a: 1, b: 2, bb: 3 }, { _id: 1, b: 2 }],
    [['a.b'], { _id: 1, a: { b: 1, c: 2 }, b: 3 }, { _id: 1, a: { b: 1 } }],
    [['a.b'], { _id: 1, a: { c: 2 } }, { _id: 1, a: {} }],
    [['a.b'], { _id: 1, a: 5 }, { _id: 1 }],
    [['a', 'a.b'], { _id: 1, a: { b: 1, c: 2 } }, { _id: 1, a: { b: 1, c: 2 } }],
    [['a.b'], { _id: 1, a: [{ b: 1, c: 2 }, 5, [{ b: 3 }, 'x'], { c: 1 }] }, { _id: 1, a: [{ b: 1 }, [{ b: 3 }], {}] }],
    [['a.b'], { _id: 1, 'a.b': 1, 'a.b.c': 2, 'a.bc': 3 }, { _id: 1, 'a.b': 1, 'a.b.c': 2 }],
    [['x'], { a: 1, _id: 7, b: 2 }, { _id: 7 }],
  ])('only %j: %j', (paths, document, expected) => {
    expect(filter('include', paths, document)).toEqual(expected);
  });

  it('is the very document when nothing is left out', () => {
    const document = raw({ _id: 1, a: { b: [1, { c: Decimal128.fromString('1.50') }] } });
    expect(new FieldFilter({ mode: 'exclude', paths: ['x', 'a.y'] }).apply(document)).toBe(document);
    expect(new FieldFilter({ mode: 'include', paths: ['a'] }).apply(document)).toBe(document);
  });

  it('does not keep the memory of a large document for the sake of a small rest', () => {
    const document = raw({ _id: 1, text: 'x'.repeat(100_000) });
    expect(new FieldFilter({ mode: 'exclude', paths: ['text'] }).apply(document).buffer.byteLength).toBeLessThan(50_000);
  });

  it('property: a path is either included or excluded, and types and order stay', () => {
    const configOption = fc.oneof(
      fc.integer().map((n) => new Int32(n | 0)),
      fc.double().map((n) => new Double(n)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
      fc.string(),
      fc.constant(null),
    );
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const { document } = fc.letrec<{ document: Document; value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, configOption, tie('document'), fc.array(tie('value'), { maxLength: 3 })),
      document: fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    }));
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join('.'));
    fc.assert(
      fc.property(
        document,
        fc.array(path, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('include', 'exclude'),
        (fields, paths, mode) => {
          const source = { _id: 1, ...fields };
          const filtered = new FieldFilter({ mode, paths }).apply(raw(source));
          expect(filtered).toEqual(
            raw(
              project(
                source,
                paths.map((each) => each.split('.')),
                mode === 'include',
                true,
              ) as Document,
            ),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** The same on objects. */
function project(value: unknown, paths: string[][], including: boolean, isTop = false): unknown {
  if (Array.isArray(value)) {
    const elements = value.filter((each) => !including || isContainer(each));
    return elements.map((each) => project(each, paths, including));
  }
  if (!isContainer(value)) return value;
  const kept = Object.entries(value as object).flatMap(([name, member]) => {
    if (isTop && name === '_id') return [[name, member]];
    const below = paths.filter(([first]) => first === name).map(([, ...rest]) => rest);
    const named = below.some(({ length }) => length === 0);
    if (named || below.length === 0) return named === including ? [[name, member]] : [];
    if (isContainer(member)) return [[name, project(member, below, including)]];
    return including ? [] : [[name, member]];
  });
  return Object.fromEntries(kept);
}

const isContainer = (value: unknown): boolean => Array.isArray(value) || (typeof value === 'object' && value?.constructor === Object);
