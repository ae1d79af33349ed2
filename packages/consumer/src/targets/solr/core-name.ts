// The core or collection of a namespace: `db.collection`, with what Solr refuses escaped as in topic names.
// https://solr.apache.org/guide/solr/latest/deployment-guide/collection-management.html#create
import { formatNamespace, type Namespace } from '@tailwater/schema';

/** A core has a folder of its name. */
export const MAX_CORE_NAME_BYTES = 255;

// A byte that is refused becomes `_xHH_`; a literal `_x` is written `_x5f_x`, so `_x` stands only where an escape begins.
const REFUSED = /_(?=x)|[^A-Za-z0-9._-]|^-/gu;

/** May be longer than {@link MAX_CORE_NAME_BYTES}: the caller refuses it then. */
export function coreName(namespace: Namespace): string {
  return formatNamespace(namespace).replace(REFUSED, escapeBytes);
}

const escapeBytes = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => `_x${byte.toString(16).padStart(2, '0')}_`).join('');
