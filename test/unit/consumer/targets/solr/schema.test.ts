import { describe, expect, test } from 'vitest';
import { Schema } from '#consumer/targets/solr/schema.js';
import { schemaOf } from '#test/unit/consumer/apply/solr/support/schema-of.js';

const field = (name: string, type = 'string', multiValued?: boolean) => ({
  name,
  type,
  ...(multiValued === undefined ? {} : { multiValued }),
});

describe('Schema', () => {
  const schema = schemaOf({
    fields: [field('id'), field('exact_s', 'strings'), field('one', 'strings', false)],
    dynamicFields: [field('*_s'), field('*_long_s', 'strings'), field('attr_*', 'string', true), field('*')],
  });

  test('a field is multivalued when it, or else its type, says so', () => {
    expect(schema.field('exact_s')?.multiValued).toBe(true);
    expect(schema.field('one')?.multiValued).toBe(false);
  });

  test('a declared field beats patterns, and of those the longest wins', () => {
    expect(schema.field('x_s')).toMatchObject({ suffix: '_s' });
    expect(schema.field('x_long_s')).toMatchObject({ suffix: '_long_s' });
    expect(schema.field('attr_x')).toMatchObject({ prefix: 'attr_', multiValued: true });
    expect(schema.field('attr_x_long_s')).toMatchObject({ suffix: '_long_s' });
    expect(schema.field('anything')).toMatchObject({ prefix: '', suffix: '' });
  });

  test('what has neither is unknown', () => {
    expect(schemaOf({ fields: [field('id')], dynamicFields: [field('*_s')] }).field('name')).toBeUndefined();
  });

  test.each(['', '<html>', '{"error":{}}'])('%j holds no schema', (text) => {
    expect(Schema.read(text)).toBeUndefined();
  });
});
