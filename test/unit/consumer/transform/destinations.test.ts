import { describe, expect, test } from 'vitest';
import { indexName } from '#consumer/targets/elasticsearch/index-name.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { ORDERS } from '../support/changes.js';

const same = <T>(value: T): T => value;

describe('Destinations', () => {
  test('gives one object per namespace', () => {
    const destinations = new Destinations(({ database }) => ({ database, collection: 'renamed' }));
    const first = destinations.of(ORDERS);
    expect(first).toEqual({ database: 'shop', collection: 'renamed' });
    expect(destinations.of({ ...ORDERS })).toBe(first);
  });

  test('refuses a second namespace for one name', () => {
    const destinations = new Destinations(() => ({ database: 'all', collection: 'one' }));
    destinations.of(ORDERS);
    destinations.of(ORDERS);
    expect(() => destinations.of({ ...ORDERS, collection: 'other' })).toThrow(expect.objectContaining({ code: 'TW1306' }));
  });

  test('compares the names as the target writes them', () => {
    const destinations = new Destinations(same, indexName);
    destinations.of(ORDERS);
    expect(() => destinations.of({ database: 'shop', collection: 'Orders' })).toThrow(expect.objectContaining({ code: 'TW1306' }));
  });

  test('merges when asked to: all that go to one name get the same object', () => {
    const destinations = new Destinations(same, indexName, true);
    const first = destinations.of(ORDERS);
    expect(destinations.of({ database: 'shop', collection: 'Orders' })).toBe(first);
    expect(destinations.of({ database: 'shop', collection: 'other' })).not.toBe(first);
  });

  describe('when all namespaces are known', () => {
    const capital = { database: 'shop', collection: 'Orders' };
    const other = { database: 'shop', collection: 'other' };
    const refused = expect.objectContaining({ code: 'TW1306', message: expect.stringContaining('shop.Orders and shop.orders') });
    const knowing = (...namespaces: (typeof ORDERS)[]) => {
      const destinations = new Destinations(same, indexName);
      destinations.know(namespaces);
      return destinations;
    };

    test('those that clash are refused by every process, also by one that meets only one of them, in whatever order', () => {
      for (const destinations of [knowing(ORDERS, capital, other), knowing(other, capital, ORDERS)]) {
        for (const namespace of [ORDERS, capital, ORDERS]) expect(() => destinations.of(namespace)).toThrow(refused);
        expect(destinations.of(other)).toBe(other);
      }
    });

    test('one that was written before is refused once there is another, and goes on when that is gone', () => {
      const destinations = knowing(ORDERS, other);
      const [orders, kept] = [destinations.of(ORDERS), destinations.of(other)];
      destinations.know([ORDERS, capital, other]);
      expect(() => destinations.of(ORDERS)).toThrow(refused);
      expect(destinations.of(other)).toBe(kept);
      destinations.know([capital, other]);
      expect(destinations.of(capital)).toBe(capital);
      destinations.know([ORDERS, other]);
      expect(destinations.of(ORDERS)).toBe(orders);
    });

    test('a namespace without a place clashes with none, and those that are merged do not either', () => {
      const nameless = new Destinations(same, ({ collection }) => {
        if (collection === 'other') throw new Error('too long');
        return 'one';
      });
      nameless.know([ORDERS, other]);
      expect(nameless.of(ORDERS)).toBe(ORDERS);
      const merging = new Destinations(same, indexName, true);
      merging.know([ORDERS, capital]);
      expect(merging.of(capital)).toBe(merging.of(ORDERS));
    });
  });
});
