import { Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { parseSnapshotQueries } from '#producer/backfill/snapshot/snapshot-queries.js';

describe('parseSnapshotQueries', () => {
  it('reads Extended JSON with its types', () => {
    const queries = parseSnapshotQueries({
      'shop.orders': '{"n": {"$gt": 5}, "big": {"$numberLong": "9007199254740993"}}',
      'shop.eu.items': '{"owner": {"$oid": "000000000000000000000001"}}',
    });
    expect(queries.get('shop.orders')).toEqual({ n: { $gt: new Int32(5) }, big: Long.fromString('9007199254740993') });
    expect(queries.get('shop.eu.items')).toEqual({ owner: new ObjectId('000000000000000000000001') });
    expect(parseSnapshotQueries({}).size).toBe(0);
  });

  it.each([
    ['shop.orders', '{"n": '],
    ['shop.orders', '[1]'],
    ['shop.orders', '7'],
    ['orders', '{}'],
  ])('refuses %s=%s', (namespace, text) => {
    expect(() => parseSnapshotQueries({ [namespace]: text })).toThrow(expect.objectContaining({ code: 'TW1145' }));
  });
});
