import { Schema } from '#consumer/targets/solr/schema.js';

/** A schema with the usual types, and the type `strings`, which is multivalued. */
export function schemaOf(schema: { readonly fields?: readonly object[]; readonly dynamicFields?: readonly object[] }): Schema {
  const fieldTypes = [
    { name: 'string', class: 'solr.StrField' },
    { name: 'strings', class: 'solr.StrField', multiValued: true },
    { name: 'plong', class: 'solr.LongPointField' },
    { name: 'pint', class: 'solr.IntPointField' },
    { name: 'pfloat', class: 'solr.FloatPointField' },
    { name: 'pdouble', class: 'solr.DoublePointField' },
    { name: 'pdate', class: 'solr.DatePointField' },
    { name: 'boolean', class: 'solr.BoolField' },
    { name: 'uuid', class: 'org.apache.solr.schema.UUIDField' },
    { name: 'base64', class: 'solr.BinaryField' },
    { name: 'trie', class: 'solr.TrieField', type: 'integer' },
    { name: 'text_general', class: 'solr.TextField' },
  ];
  return Schema.read(JSON.stringify({ schema: { uniqueKey: 'id', fieldTypes, ...schema } })) as Schema;
}
