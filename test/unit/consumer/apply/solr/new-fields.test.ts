import { BsonType } from '@tailwater/schema';
import { expect, test } from 'vitest';
import { FieldTree } from '../../../../../packages/consumer/src/apply/solr/field-tree.js';
import { NewFields } from '../../../../../packages/consumer/src/apply/solr/new-fields.js';
import { schemaOf } from './support/schema-of.js';

test('fields get types that the schema has, for the value that was seen first', () => {
  const schema = schemaOf({ fields: [{ name: 'known', type: 'string' }] });
  const { root } = new FieldTree(schema, new Set(['id']));
  const fields = new NewFields();
  fields.note(root.named('text'), BsonType.string, false);
  fields.note(root.named('text'), BsonType.int32, false);
  fields.note(root.named('tags'), BsonType.objectId, true);
  fields.note(root.named('deep').named('n'), BsonType.int32, false);
  fields.note(root.named('id'), BsonType.int32, false);
  fields.note(root.named('known'), BsonType.string, true);
  fields.note(root.named('at'), BsonType.date, false);
  fields.note(root.named('list').element(0).named('x'), BsonType.string, false);
  expect(fields.take(schema)).toEqual([
    { name: 'text', type: 'text_general', multiValued: false },
    { name: 'tags', type: 'string', multiValued: true },
    { name: 'deep.n', type: 'plong', multiValued: false },
  ]);
  expect(fields.size).toBe(0);
});
