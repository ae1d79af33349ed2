// The index of a namespace: `db.collection` in lower case, with what Elasticsearch refuses escaped as in topic names.
// https://www.elastic.co/guide/en/elasticsearch/reference/8.19/indices-create-index.html#indices-create-api-path-params
import { formatNamespace, type Namespace } from '@tailwater/schema';

export const MAX_INDEX_NAME_BYTES = 255;

// A byte that is refused becomes `_xHH_`; a literal `_x` is written `_x5f_x`, so `_x` stands only where an escape begins. A name must not begin
// with `_` either: a first character that is refused there becomes `x_x_HH_`, which no other name does.
const REFUSED = /_(?=x)|[\\/*?"<>|,#: \p{Cc}]/gu;
const REFUSED_FIRST = /^[-_+\\/*?"<>|,#: \p{Cc}]/u;

/**
 * The index name of a namespace. It may be longer than {@link MAX_INDEX_NAME_BYTES}: the caller refuses it then. Names that differ
 * only in case give one index name; the caller refuses the second.
 */
export function indexName(namespace: Namespace): string {
  const name = formatNamespace(namespace).toLowerCase();
  if (!REFUSED_FIRST.test(name)) return name.replace(REFUSED, escapeBytes);
  return `x_x_${Buffer.from(name.slice(0, 1)).toString('hex')}_${name.slice(1).replace(REFUSED, escapeBytes)}`;
}

const escapeBytes = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => `_x${byte.toString(16).padStart(2, '0')}_`).join('');
