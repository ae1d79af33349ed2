// Field names that Elasticsearch refuses, written so that it takes them: one such name would keep its whole document out.
//
// Refused are empty and blank names, names with an empty or blank piece between dots, and the names of its own metadata fields at
// the top of a document. What is refused is written byte by byte as `_xHH_`, as in index names; an empty name is `_x_`.
// Dots are no trouble otherwise: `a.b` is the field b of a, as if it were nested. Measured with 8.19 and 9.5.

const DOT = 0x2e;
const SPACE = 0x20;
const UNDERSCORE = 0x5f;
/** U+1680, the first white space beyond ASCII that counts, begins with this byte. */
const FIRST_WIDE = 0xe1;

const BLANK = /^[\s\p{Cc}]*$/u;
const BLANK_PIECE = /(?:^|\.)[\s\p{Cc}]*(?:\.|$)/u;

// https://www.elastic.co/guide/en/elasticsearch/reference/8.19/mapping-fields.html, and what else the servers refuse or interpret.
const METADATA =
  /^_(?:id|index|source|routing|version|seq_no|field_names|ignored|ignored_source|doc_count|nested_path|data_stream_timestamp|ts_routing_hash|tier|type|primary_term|size|tsid|inference_fields)(?:\.|$)/;

/** Whether a name may be one of those: says so quickly of every name, so it says so of some that are not. */
export function isSuspicious(source: Buffer, start: number, end: number, topLevel: boolean): boolean {
  if (start === end || (topLevel && source[start] === UNDERSCORE)) return true;
  for (let index = start; index < end; index++) {
    const byte = source[index] as number;
    if (byte === DOT || byte <= SPACE || byte >= FIRST_WIDE) return true;
  }
  return false;
}

/** The name as Elasticsearch takes it; mostly itself. */
export function fieldName(name: string, topLevel: boolean): string {
  if (name === '') return '_x_';
  if (topLevel && METADATA.test(name)) return `_x5f_${name.slice(1)}`;
  if (!BLANK_PIECE.test(name)) return name;
  return BLANK.test(name) ? escapeBytes(name) : name.replaceAll('.', escapeBytes);
}

const escapeBytes = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => `_x${byte.toString(16).padStart(2, '0')}_`).join('');
