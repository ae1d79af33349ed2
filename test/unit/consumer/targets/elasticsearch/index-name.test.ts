import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexName } from '#consumer/targets/elasticsearch/index-name.js';

describe('indexName', () => {
  test.each([
    ['shop', 'orders', 'shop.orders'],
    ['Shop', 'Orders', 'shop.orders'],
    ['shop', 'orders 2024', 'shop.orders_x20_2024'],
    ['shop', 'a/b\\c*?"<>|,#:', 'shop.a_x2f_b_x5c_c_x2a__x3f__x22__x3c__x3e__x7c__x2c__x23__x3a_'],
    ['_shop', 'orders', 'x_x_5f_shop.orders'],
    ['-shop', 'orders', 'x_x_2d_shop.orders'],
    ['+shop', 'orders', 'x_x_2b_shop.orders'],
    ['_xshop', 'orders', 'x_x_5f_xshop.orders'],
    ['x_xshop', 'orders', 'x_x5f_xshop.orders'],
    ['x_x_5f_shop', 'orders', 'x_x5f_x_5f_shop.orders'],
    ['shop', '_x20_', 'shop._x5f_x20_'],
    ['shop', 'größen', 'shop.größen'],
    ['shop', 'a\nb', 'shop.a_x0a_b'],
  ])('%s.%s is %s', (database, collection, expected) => {
    expect(indexName({ database, collection })).toBe(expected);
  });

  test('property: it never holds what Elasticsearch refuses, and lower-case names stay apart', () => {
    const part = fc
      .oneof(
        fc.string({ minLength: 1 }),
        fc.string({ minLength: 1, maxLength: 9, unit: fc.constantFrom('_', 'x', '5', 'f', '-', '2', 'd') }),
      )
      .map((text) => text.toLowerCase().replaceAll('.', ''));
    const namespace = fc.record({ database: part.filter((text) => text !== ''), collection: part });
    fc.assert(
      fc.property(namespace, namespace, (a, b) => {
        const name = indexName(a);
        expect(name).not.toMatch(/[\\/*?"<>|,#: ]|^[-_+]/);
        expect(name).toBe(name.toLowerCase());
        expect(name === indexName(b)).toBe(a.database === b.database && a.collection === b.collection);
      }),
    );
  });
});
