import { nearestOf, suggest } from '@tailwater/runtime';
import { expect, it } from 'vitest';

const known = ['mongo', 'kafka', 'prefix', 'include', 'exclude', 'statusPort'];

it.each([
  ['mogno', 'mongo'],
  ['kafak', 'kafka'],
  ['prefx', 'prefix'],
  ['inclued', 'include'],
  ['status-port', 'statusPort'],
  ['STATUS_PORT', 'statusPort'],
  ['statusprot', 'statusPort'],
  ['xclude', 'exclude'],
  ['elephant', undefined],
  ['', undefined],
])('%s was probably meant as %s', (unknown, expected) => {
  expect(nearestOf(unknown, known)).toBe(expected);
});

it('asks, or says nothing', () => {
  expect(suggest('kafkaa', known)).toBe(', did you mean kafka?');
  expect(suggest('zebra', known)).toBe('');
});
