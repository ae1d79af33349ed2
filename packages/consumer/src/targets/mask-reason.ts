// What a target says of a document that it refuses, without the document's values: servers repeat these, and reasons go to the log, the
// status and the readiness check. Names of fields stay; where in doubt, a text between quotes is a value.
const MAX_LENGTH = 500;
const MASK = '***';

/** Elasticsearch's preview ends the text, and may hold quotes itself. */
const PREVIEW = /(Preview of field's value: ).*$/s;
/** Between quotes, unless these name a field or an id; an apostrophe inside a word is not a quote. */
const QUOTED = /(\b(?:field|id)[\s=]+)?(?<!\w)(["'])(.+?)\2(?!\w)/gs;
const VALUE = /(\b(?:value|values|date field|string|token|input|number)\s+)(?:\[[^\]]*\]|\([^)]*\))/gi;
/** MongoDB's clash on a unique index. */
const DUPLICATE = /(dup key: )\{.*\}/s;

export function maskReason(text: string): string {
  return text
    .replace(PREVIEW, `$1${MASK}`)
    .replace(DUPLICATE, `$1{ ${MASK} }`)
    .replace(VALUE, `$1[${MASK}]`)
    .replace(QUOTED, (whole, named: string | undefined, quote: string) => (named === undefined ? `${quote}${MASK}${quote}` : whole))
    .slice(0, MAX_LENGTH);
}
