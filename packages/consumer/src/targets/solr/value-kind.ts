// What a field type of Solr can hold, by its class. Solr converts what it is given without a word: a fraction in a field of whole
// numbers loses its end, a number over 32 bits wraps, `NOW` in a date field is the moment of the write.
// https://solr.apache.org/guide/solr/latest/indexing-guide/field-types-included-with-solr.html

/** `any`: text, which holds the digits of whatever it is given, or a type that refuses by itself what it cannot hold. */
export type ValueKind = 'int' | 'long' | 'float' | 'double' | 'date' | 'boolean' | 'enum' | 'uuid' | 'base64' | 'any';

const KINDS: Readonly<Record<string, ValueKind>> = {
  IntPointField: 'int',
  TrieIntField: 'int',
  LongPointField: 'long',
  TrieLongField: 'long',
  FloatPointField: 'float',
  TrieFloatField: 'float',
  DoublePointField: 'double',
  TrieDoubleField: 'double',
  DatePointField: 'date',
  TrieDateField: 'date',
  BoolField: 'boolean',
  EnumField: 'enum',
  EnumFieldType: 'enum',
  UUIDField: 'uuid',
  BinaryField: 'base64',
};
/** `solr.TrieField` says it in an attribute. */
const TRIE_KINDS: Readonly<Record<string, ValueKind>> = { integer: 'int', long: 'long', float: 'float', double: 'double', date: 'date' };

/** @param type the fieldType as the schema declares it: `{class: 'solr.LongPointField'}` */
export function kindOf({ class: name, type }: { readonly class: string; readonly type?: unknown }): ValueKind {
  const simple = name.slice(name.lastIndexOf('.') + 1);
  if (simple === 'TrieField') return Object.hasOwn(TRIE_KINDS, String(type)) ? (TRIE_KINDS[String(type)] as ValueKind) : 'any';
  return Object.hasOwn(KINDS, simple) ? (KINDS[simple] as ValueKind) : 'any';
}

export const isNumeric = (kind: ValueKind): boolean => kind === 'int' || kind === 'long' || kind === 'float' || kind === 'double';
