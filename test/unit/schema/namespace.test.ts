// Where a namespace divides.
import { formatNamespace, parseNamespace } from '@tailwater/schema';
import { expect, it } from 'vitest';

it.each([
  ['shop.orders', 'shop', 'orders'],
  ['shop.fs.files', 'shop', 'fs.files'],
  ['config.$cmd.', 'config', '$cmd.'],
  ['d..', 'd', '.'],
])('cuts %s at its first dot', (text, database, collection) => {
  const namespace = parseNamespace(text);
  expect(namespace).toEqual({ database, collection });
  expect(namespace && formatNamespace(namespace)).toBe(text);
});

it.each(['', 'shop', '.orders', 'shop.', '.'])('finds none in %j', (text) => {
  expect(parseNamespace(text)).toBeUndefined();
});
