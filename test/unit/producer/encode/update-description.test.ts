import { BsonCursor } from '@tailwater/schema';
import { BSON, Int32, Long } from 'bson';
import { describe, expect, it } from 'vitest';
import { UpdateDescriber } from '#producer/encode/update-description.js';
import { raw } from '../support/entries.js';

/** A document whose fields stand in the order given, those that look like numbers too. */
const ordered = (...fields: [string, unknown][]): Map<string, unknown> => new Map(fields);
const describeUpdate = (o: BSON.Document | Map<string, unknown>) => new UpdateDescriber().describe(raw(o as BSON.Document), 0);

function described(o: BSON.Document): { updated: [string, unknown][]; removed: readonly string[]; truncated: [string, number][] } {
  const description = describeUpdate(o);
  if (description === undefined) throw new Error('It is not described');
  const updated = BSON.deserialize(description.updatedFields, { promoteValues: true });
  return {
    updated: namesOf(description.updatedFields).map((name) => [name, updated[name]]),
    removed: description.removedFields,
    truncated: description.truncatedArrays.map(({ field, newSize }) => [field, newSize]),
  };
}

/** In the order of the bytes: an object of JavaScript puts names that look like numbers first. */
function namesOf(document: Buffer): string[] {
  const cursor = new BsonCursor();
  const names: string[] = [];
  cursor.enter(document, 0);
  while (cursor.next()) names.push(cursor.name());
  return names;
}

const NOTHING = { updated: [], removed: [], truncated: [] };
const v1 = (o: BSON.Document) => ({ $v: new Int32(1), ...o });
const v2 = (diff: BSON.Document | Map<string, unknown>) => ({ $v: new Int32(2), diff });

describe('modifiers', () => {
  it('are what was set and unset, by the paths of the entry', () => {
    const set = ordered(['b.0.c', 1], ['10', { x: null }], ['2', [1, 2]], ['a', new Long(5)]);
    expect(described(v1({ $set: set, $unset: { 'z.y': true, q: true } }))).toEqual({
      updated: [
        ['b.0.c', 1],
        ['10', { x: null }],
        ['2', [1, 2]],
        ['a', 5],
      ],
      removed: ['z.y', 'q'],
      truncated: [],
    });
  });

  it('have no version in old entries', () => {
    expect(described({ $set: { a: 1 } })).toEqual({ ...NOTHING, updated: [['a', 1]] });
    expect(described({ $unset: { a: true } })).toEqual({ ...NOTHING, removed: ['a'] });
  });

  it('keep the bytes of every value', () => {
    const values = { d: new BSON.Double(1), i: new Int32(1), l: Long.fromNumber(1), n: BSON.Decimal128.fromString('1.00'), u: undefined };
    expect(describeUpdate(v1({ $set: values }))?.updatedFields).toEqual(raw(values));
  });
});

describe('diffs', () => {
  it('are removed, updated and inserted fields', () => {
    expect(described(v2({ d: { gone: false, 'also gone': false }, u: { a: 2 }, i: { b: { c: [] } } }))).toEqual({
      updated: [
        ['a', 2],
        ['b', { c: [] }],
      ],
      removed: ['gone', 'also gone'],
      truncated: [],
    });
  });

  it('put the path of a document before its fields, however deep', () => {
    const diff = { u: { top: 1 }, sa: { d: { x: false }, sb: { i: { c: 3 }, sd: { u: { e: 4 } } } }, 's.': { u: { '': 5 } } };
    expect(described(v2(diff))).toEqual({
      updated: [
        ['top', 1],
        ['a.b.c', 3],
        ['a.b.d.e', 4],
        ['..', 5],
      ],
      removed: ['a.x'],
      truncated: [],
    });
  });

  it('take fields named like their own marks for what they are', () => {
    const diff = {
      d: { d: false },
      u: { u: 1, s: 2 },
      i: { i: 3, a: 4, l: 5 },
      sd: { u: { diff: 6 } },
      su0: { i: { sa: 7 } },
      sa: { u: { a: true } },
    };
    expect(described(v2(diff))).toEqual({
      updated: [
        ['u', 1],
        ['s', 2],
        ['i', 3],
        ['a', 4],
        ['l', 5],
        ['d.diff', 6],
        ['u0.sa', 7],
        ['a.a', true],
      ],
      removed: ['d'],
      truncated: [],
    });
  });

  it('name elements of arrays by their index, in order', () => {
    const array = ordered(['a', true], ['u2', 'new'], ['s10', { u: { x: 1 } }], ['u11', [1]]);
    expect(described(v2({ sarr: array }))).toEqual({
      ...NOTHING,
      updated: [
        ['arr.2', 'new'],
        ['arr.10.x', 1],
        ['arr.11', [1]],
      ],
    });
  });

  it('keep the order of fields that look like numbers', () => {
    expect(described(v2({ i: ordered(['b', 1], ['10', 2], ['9', 3]), s7: { u: ordered(['x', 4], ['0', 5]) } })).updated).toEqual([
      ['b', 1],
      ['10', 2],
      ['9', 3],
      ['7.x', 4],
      ['7.0', 5],
    ]);
  });

  it('say how long an array is now, inside arrays too', () => {
    const array = ordered(['a', true], ['l', new Int32(3)], ['s0', ordered(['a', true], ['l', new Int32(0)])], ['u2', 9]);
    expect(described(v2({ sarr: array, so: { slist: { a: true, l: new Int32(1) } } }))).toEqual({
      updated: [['arr.2', 9]],
      removed: [],
      truncated: [
        ['arr', 3],
        ['arr.0', 0],
        ['o.list', 1],
      ],
    });
  });

  it('change nothing where they are empty', () => {
    expect(described(v2({}))).toEqual(NOTHING);
  });
});

describe('descriptions of change events', () => {
  it('are taken as they are', () => {
    const event = {
      updatedFields: ordered(['b', 1], ['10', { c: 2 }], ['arr.2.x', 3]),
      removedFields: ['z.y', 'ä'],
      truncatedArrays: [
        { field: 'arr', newSize: new Int32(3) },
        { field: 'a.b', newSize: new Int32(0) },
      ],
      disambiguatedPaths: { 'arr.2.x': ['arr', new Int32(2), 'x'] },
    };
    expect(described(event)).toEqual({
      updated: [
        ['b', 1],
        ['10', { c: 2 }],
        ['arr.2.x', 3],
      ],
      removed: ['z.y', 'ä'],
      truncated: [
        ['arr', 3],
        ['a.b', 0],
      ],
    });
    expect(described({ updatedFields: {}, removedFields: [] })).toEqual(NOTHING);
  });
});

describe('what cannot be described', () => {
  it.each<[string, BSON.Document]>([
    ['a replacement', { _id: 1, a: 2 }],
    ['a diff of a later format', v2({ x: { a: 1 } })],
    ['a diff of binary data, as in time-series buckets of newer servers', v2({ bdata: { o: new Int32(2), d: Buffer.alloc(2) } })],
    ['an unknown mark in an array', v2({ sarr: { a: true, x1: 1 } })],
    ['a length that is none', v2({ sarr: { a: true, l: 'x' } })],
    ['an element whose diff is none', v2({ sarr: { a: true, s0: 1 } })],
    ['no operators', { $v: new Int32(1) }],
  ])('%s', (_, o) => {
    expect(describeUpdate(o)).toBeUndefined();
  });

  it('one whose paths take more room than a record has', () => {
    const fields = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`f${n}`, n]));
    expect(describeUpdate(v2({ [`s${'x'.repeat(10_000)}`]: { u: fields } }))).toBeUndefined();
    expect(describeUpdate(v2({ [`s${'x'.repeat(10_000)}`]: { d: fields } }))).toBeUndefined();
    expect(describeUpdate(v2({ [`s${'x'.repeat(10_000)}`]: { u: { a: 1 } } }))?.bytes).toBeGreaterThan(10_000);
  });
});

describe('UpdateDescriber', () => {
  it('keeps what it returned until it is reset, whatever comes after', () => {
    const describer = new UpdateDescriber();
    const updates = Array.from({ length: 300 }, (_, n) => ({ [`field${n}`]: 'x'.repeat(n * 10), n }));
    for (let turn = 0; turn < 3; turn++) {
      describer.reset();
      const descriptions = updates.map((update, n) => {
        if (n % 7 === 0) expect(describer.describe(raw({ a: 1 }), 0)).toBeUndefined();
        return describer.describe(raw(v2({ u: update })), 0);
      });
      expect(descriptions.map((description) => description?.updatedFields)).toEqual(updates.map((update) => raw(update)));
    }
  });

  it('reads an update in the middle of its entry', () => {
    const entry = raw({ op: 'u', o: v2({ i: { a: 1 } }), ts: 1 });
    const start = entry.indexOf('o\0', 10) + 2;
    expect(new UpdateDescriber().describe(entry, start)?.updatedFields).toEqual(raw({ a: 1 }));
  });
});
