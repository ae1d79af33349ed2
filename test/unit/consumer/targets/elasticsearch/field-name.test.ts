import { describe, expect, it } from 'vitest';
import { fieldName, isSuspicious } from '#consumer/targets/elasticsearch/field-name.js';

const suspicious = (name: string, topLevel = true): boolean => {
  const bytes = Buffer.from(name);
  return isSuspicious(bytes, 0, bytes.length, topLevel);
};

describe('fieldName', () => {
  it.each([
    ['', '_x_'],
    [' ', '_x20_'],
    ['\t', '_x09_'],
    ['\u2003', '_xe2__x80__x83_'],
    ['.', '_x2e_'],
    ['..', '_x2e__x2e_'],
    ['.a', '_x2e_a'],
    ['a.', 'a_x2e_'],
    ['a..b', 'a_x2e__x2e_b'],
    ['a. .b', 'a_x2e_ _x2e_b'],
    ['_id', '_x5f_id'],
    ['_source', '_x5f_source'],
    ['_index.a', '_x5f_index.a'],
    ['_doc_count', '_x5f_doc_count'],
  ])('%j is written %j, and found by the quick look', (name, expected) => {
    expect(fieldName(name, true)).toBe(expected);
    expect(suspicious(name)).toBe(true);
  });

  it.each(['a', 'a.b', '$a', 'a b', ' a', '_ids', '_x', '_', 'ü', '€', 'a.$b.c'])('%j stays', (name) => {
    expect(fieldName(name, true)).toBe(name);
  });

  it('a metadata name inside a subdocument stays', () => {
    expect(fieldName('_id', false)).toBe('_id');
    expect(suspicious('_id', false)).toBe(false);
  });

  it.each(['a', '$a', 'größe', 'x_y'])('the quick look passes %j', (name) => {
    expect(suspicious(name)).toBe(false);
  });
});
