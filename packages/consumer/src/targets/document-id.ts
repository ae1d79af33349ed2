// The id of a document in a search engine, from its record key, so that an upsert and a delete of one document agree (promise C).
//
// ObjectIds are their 24 hex digits, numbers, booleans and null their text, strings themselves, everything else the key's Extended
// JSON. A string that would read like one of those (`"507f1f77bcf86cd799439011"`, `"42"`, `"true"`, `"{…"`), or is empty, is
// written as JSON with its quotes: `42` and `"42"` are two documents in MongoDB, and one overwriting the other would lose data.
// Elasticsearch refuses ids over 512 bytes: those become `sha256:` and the hash of the key.
import { createHash } from 'node:crypto';

/** https://www.elastic.co/guide/en/elasticsearch/reference/8.19/mapping-id-field.html */
const MAX_ID_BYTES = 512;
const HASHED = 'sha256:';

const OBJECT_ID_KEY_LENGTH = '{"$oid":"507f1f77bcf86cd799439011"}'.length;
const LIKE_ANOTHER_TYPE = /^(?:$|["[{]|sha256:|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$|true$|false$|null$|[0-9a-f]{24}$)/;

/** The `_id` for a record key. Two different keys never give the same one. */
export function documentId(key: string): string {
  if (key.length === OBJECT_ID_KEY_LENGTH && key.startsWith('{"$oid":"')) return key.slice(9, 33);
  const id = key.startsWith('"') ? stringId(key) : key;
  // No character takes more than three bytes per UTF-16 unit.
  if (id.length * 3 <= MAX_ID_BYTES || Buffer.byteLength(id) <= MAX_ID_BYTES) return id;
  return HASHED + createHash('sha256').update(key).digest('hex');
}

function stringId(key: string): string {
  const text = key.includes('\\') ? (JSON.parse(key) as string) : key.slice(1, -1);
  return LIKE_ANOTHER_TYPE.test(text) ? key : text;
}
