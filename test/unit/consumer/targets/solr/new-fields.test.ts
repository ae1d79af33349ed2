import { BsonType } from '@tailwater/schema';
import { expect, test } from 'vitest';
import { FieldTree } from '#consumer/targets/solr/field-tree.js';
import { NewFields } from '#consumer/targets/solr/new-fields.js';
import { schemaOf } from '#test/unit/consumer/apply/solr/support/schema-of.js';

const schema = schemaOf({ fields: [{ name: 'known', type: 'string' }] });
const root = () => new FieldTree(schema, new Set(['id'])).root;

test('fields get types that the schema has, and that hold all of what was seen', () => {
  const top = root();
  const fields = new NewFields();
  fields.note(top.named('text'), BsonType.string, false, false);
  fields.note(top.named('tags'), BsonType.objectId, true, false);
  fields.note(top.named('deep').named('n'), BsonType.int32, false, false);
  fields.note(top.named('deep').named('n'), BsonType.double, true, false);
  fields.note(top.named('big'), BsonType.int64, false, true);
  fields.note(top.named('mixed'), BsonType.int32, false, false);
  fields.note(top.named('mixed'), BsonType.string, false, false);
  fields.note(top.named('fractions and big'), BsonType.double, false, false);
  fields.note(top.named('fractions and big'), BsonType.int64, false, true);
  fields.note(top.named('id'), BsonType.int32, false, false);
  fields.note(top.named('known'), BsonType.string, true, false);
  fields.note(top.named('at'), BsonType.date, false, false);
  fields.note(top.named('list').element(0).named('x'), BsonType.string, false, false);
  expect(fields.take(schema)).toEqual([
    { name: 'text', type: 'text_general', multiValued: false },
    { name: 'tags', type: 'string', multiValued: true },
    { name: 'deep.n', type: 'pdouble', multiValued: true },
    { name: 'big', type: 'plong', multiValued: false },
    { name: 'mixed', type: 'text_general', multiValued: false },
    { name: 'fractions and big', type: 'text_general', multiValued: false },
    { name: 'at', type: 'pdate', multiValued: false },
  ]);
  expect(fields.size).toBe(0);
});

test.each(['', ' ', 'a*b', '*', 'a\nb', 'a\tb', 'a\u0000b', 'a\u0085b', 'a\uffffb', 'x'.repeat(1_001)])(
  'no schema is asked for the name %j',
  (name) => {
    const fields = new NewFields();
    fields.note(root().named(name), BsonType.string, false, false);
    expect(fields.size).toBe(0);
  },
);
