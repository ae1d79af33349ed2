import { compileFieldRules, compileNamespaceRules } from '@tailwater/runtime';
import { BSON } from 'bson';
import { describe, expect, test } from 'vitest';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform } from '#consumer/transform/transform.js';
import { UserFunction } from '#consumer/transform/user-function.js';
import { change, ORDERS } from '../support/changes.js';

const same = <T>(value: T): T => value;
const read = (document: Buffer) => BSON.deserialize(document);

describe('createTransform', () => {
  test('leaves a change alone of which nothing changes', () => {
    const original = change(1, 0);
    const fields = compileFieldRules({ excludeFields: ['x'] });
    expect(createTransform({ destinations: new Destinations(same), fields })(original)).toBe(original);
  });

  test('changes the namespace and nothing else', () => {
    const original = change(1, 0);
    const transform = createTransform({ destinations: new Destinations(() => ({ database: 'b', collection: 'c' })) });
    expect(transform(original)).toEqual({ ...original, namespace: { database: 'b', collection: 'c' } });
  });

  test('leaves out the fields of the source’s namespace; an update of which nothing is left is applied all the same', () => {
    const fields = compileFieldRules({ excludeFields: ['shop.orders:sequence'] });
    const transform = createTransform({ destinations: new Destinations(() => ({ database: 'b', collection: 'c' })), fields });
    expect(read(transform(change(1, 5, { op: 'update' }))?.document as Buffer)).toEqual({ _id: 1 });
    const other = createTransform({ destinations: new Destinations(same), fields })(
      change(1, 5, { namespace: { ...ORDERS, collection: 'x' } }),
    );
    expect(read(other?.document as Buffer)).toEqual({ _id: 1, sequence: 5 });
  });

  test('the function sees what the fields leave, and all its documents go to the destination', () => {
    const module = { default: (document: object) => [document, { _id: 2 }], ids: () => [2] };
    const destination = { database: 'b', collection: 'c' };
    const transform = createTransform({
      destinations: new Destinations(() => destination),
      fields: compileFieldRules({ includeFields: ['none'] }),
      userFunction: new UserFunction('f.js', module),
    });
    const result = transform(change(1, 5));
    expect(result).toMatchObject({ key: '1', namespace: destination, parts: [{ key: '2', namespace: destination }] });
    expect(read(result?.document as Buffer)).toEqual({ _id: 1 });
  });

  test('a clash that only a wildcard brings about refuses its changes, and those of no other', () => {
    const rules = compileNamespaceRules({ include: ['shop.*', 'a.orders'], rename: { 'a.orders': 'all.orders', 'shop.*': 'all.*' } });
    const destinations = new Destinations((namespace) => rules.rename(namespace));
    for (const namespace of rules.plain) destinations.of(namespace);
    const transform = createTransform({ destinations });
    for (let round = 0; round < 2; round++)
      expect(transform(change(1, 5))?.refusal).toMatchObject({ code: 'TW1011', reason: expect.stringContaining('shop.orders') });
    expect(transform(change(1, 5, { namespace: { database: 'a', collection: 'orders' } }))).toMatchObject({
      namespace: { database: 'all' },
    });
    expect(transform(change(1, 5, { namespace: { database: 'shop', collection: 'x' } }))?.refusal).toBeUndefined();
  });

  test('a document that is no BSON is refused', () => {
    const fields = compileFieldRules({ excludeFields: ['x'] });
    const document = Buffer.from('0c000000f16100000000000000'.slice(0, 24), 'hex');
    expect(createTransform({ destinations: new Destinations(same), fields })(change(1, 5, { document }))?.refusal?.code).toBe('bson');
  });
});
