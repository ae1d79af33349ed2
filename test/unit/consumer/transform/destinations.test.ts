import { describe, expect, test } from 'vitest';
import { indexName } from '../../../../packages/consumer/src/apply/elasticsearch/index-name.js';
import { Destinations } from '../../../../packages/consumer/src/transform/destinations.js';
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
});
