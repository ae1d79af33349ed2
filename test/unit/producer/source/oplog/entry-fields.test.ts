import { Double, Int32, Long, Timestamp, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryFields, Op } from '#producer/source/oplog/entry-fields.js';
import { entry, raw, T } from '#test/unit/producer/support/entries.js';

const read = (source: Buffer, start = 0): EntryFields => {
  const fields = new EntryFields();
  fields.read(source, start);
  return fields;
};

describe('EntryFields', () => {
  it('finds its fields in any order, between any others', () => {
    const fields: [string, unknown][] = [
      ['op', 'u'],
      ['ns', 'shop.orders'],
      ['o', { $v: new Int32(2), diff: { u: { a: 1 } } }],
      ['o2', { region: 'eu', _id: 7 }],
      ['ts', new Timestamp({ t: T, i: 3 })],
      ['wall', new Date(5)],
      ['lsid', { id: new UUID() }],
      ['txnNumber', Long.fromNumber(9)],
      ['prevOpTime', { ts: new Timestamp({ t: 0, i: 0 }), t: Long.fromNumber(-1) }],
      ['fromMigrate', true],
      // Others of the same lengths, and of the same names in other types, as versions have them.
      ['v', new Double(2)],
      ['t', new Int32(1)],
      ['h', Long.fromNumber(-7)],
      ['b', true],
      ['ui', new UUID()],
      ['stmtId', new Int32(0)],
      ['versionContext', {}],
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(fields, { minLength: fields.length }), (shuffled) => {
        const source = raw(Object.fromEntries(shuffled));
        const found = read(source);
        expect([found.op, found.t, found.i, found.wallTimeMs, found.txnNumber, found.fromMigrate]).toEqual([Op.update, T, 3, 5, 9n, true]);
        expect(source.toString('utf8', found.nsStart, found.nsEnd)).toBe('shop.orders');
        expect(source.subarray(found.oStart, found.oEnd)).toEqual(raw({ $v: new Int32(2), diff: { u: { a: 1 } } }));
        expect(source.readInt32LE(found.o2Start)).toBe(raw({ region: 'eu', _id: 7 }).length);
        expect(source[found.lsidStart + 4]).toBe(5);
        expect(source.readBigUInt64LE(found.prevOpTimeStart + 8)).toBe(0n);
      }),
      { numRuns: 50 },
    );
  });

  it('forgets the entry before', () => {
    const fields = new EntryFields();
    fields.read(
      entry({ op: 'u', o2: { _id: 1 }, more: { lsid: {}, txnNumber: Long.fromNumber(1), prevOpTime: {}, fromMigrate: true } }),
      0,
    );
    fields.read(raw({ op: 'n', ts: new Timestamp({ t: T, i: 9 }) }), 0);
    const { nsStart, nsEnd, oStart, oEnd, o2Start, lsidStart, prevOpTimeStart, txnNumber, fromMigrate } = fields;
    expect([nsStart, nsEnd, oStart, oEnd, o2Start, lsidStart, prevOpTimeStart]).toEqual([-1, -1, -1, -1, -1, -1, -1]);
    expect([txnNumber, fromMigrate]).toEqual([-1n, false]);
  });

  it('takes the time of the position where an entry of an old version has none of its own', () => {
    const fields = new EntryFields();
    fields.read(entry({ t: T }), 0);
    expect(fields.wallTimeMs).toBe(T * 1000 + 250);
    fields.read(raw({ ts: new Timestamp({ t: T + 60, i: 1 }), op: 'i', ns: 'shop.orders', o: { _id: 1 } }), 0);
    expect(fields.wallTimeMs).toBe((T + 60) * 1000);
  });

  it('reads timestamps as unsigned', () => {
    const { t, i } = read(raw({ ts: new Timestamp({ t: 0xffff_fffe, i: 0xffff_ffff }), op: 'n' }));
    expect([t, i]).toEqual([0xffff_fffe, 0xffff_ffff]);
  });

  it('takes an operation of two letters for none of its own', () => {
    for (const op of ['db', 'ci', 'cd', 'xi', 'xd']) expect(Object.values(Op)).not.toContain(read(entry({ op })).op);
  });

  it('begins anywhere in a buffer', () => {
    const inner = raw({ op: 'd', ns: 'a.b', o: { _id: 1 } });
    const { op, nsStart, nsEnd, source } = read(Buffer.concat([Buffer.alloc(11, 0xee), inner]), 11);
    expect(op).toBe(Op.delete);
    expect(source.toString('utf8', nsStart, nsEnd)).toBe('a.b');
  });
});
