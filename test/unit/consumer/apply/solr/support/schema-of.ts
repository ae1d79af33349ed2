import { Schema } from '../../../../../../packages/consumer/src/apply/solr/schema.js';

/** A schema with the usual types, and the type `strings`, which is multivalued. */
export function schemaOf(schema: { readonly fields?: readonly object[]; readonly dynamicFields?: readonly object[] }): Schema {
  const fieldTypes = [
    { name: 'string', class: 'solr.StrField' },
    { name: 'strings', class: 'solr.StrField', multiValued: true },
    { name: 'plong', class: 'solr.LongPointField' },
    { name: 'text_general', class: 'solr.TextField' },
  ];
  return Schema.read(JSON.stringify({ schema: { uniqueKey: 'id', fieldTypes, ...schema } })) as Schema;
}
