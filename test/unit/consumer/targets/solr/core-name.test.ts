import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coreName } from '#consumer/targets/solr/core-name.js';

test.each([
  ['shop', 'orders', 'shop.orders'],
  ['Shop', 'Orders-2_x', 'Shop.Orders-2_x5f_x'],
  ['shop', 'a b/c', 'shop.a_x20_b_x2f_c'],
  ['shop', 'größe', 'shop.gr_xc3__xb6__xc3__x9f_e'],
  ['-shop', 'a', '_x2d_shop.a'],
])('%s.%s', (database, collection, expected) => {
  expect(coreName({ database, collection })).toBe(expected);
});

test('two namespaces have two cores, each with a name that Solr takes', () => {
  const part = fc.string({ unit: fc.constantFrom('a', '_', 'x', '-', ' ', 'ü', '2', 'f', '_x2d_'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(part, part, (one, two) => {
      const [first, second] = [one, two].map((collection) => coreName({ database: 'd', collection })) as [string, string];
      expect(first).toMatch(/^(?!-)[A-Za-z0-9._-]+$/);
      expect(first === second).toBe(one === two);
    }),
  );
});
