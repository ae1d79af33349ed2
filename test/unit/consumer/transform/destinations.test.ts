import { describe, expect, test } from 'vitest';
import { indexName } from '../../../../packages/consumer/src/apply/elasticsearch/index-name.js';
import { Destinations } from '../../../../packages/consumer/src/transform/destinations.js';
import { renaming } from '../../../../packages/consumer/src/transform/transform.js';
import { change, ORDERS } from '../support/changes.js';

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
});

describe('renaming', () => {
  test('leaves a change alone whose namespace keeps its name', () => {
    const original = change(1, 0);
    expect(renaming(new Destinations(same))(original)).toBe(original);
  });

  test('changes the namespace and nothing else', () => {
    const original = change(1, 0);
    const renamed = renaming(new Destinations(() => ({ database: 'b', collection: 'c' })))(original);
    expect(renamed).toEqual({ ...original, namespace: { database: 'b', collection: 'c' } });
  });
});
