// mongo-connector's config.json as an object: recognised by its keys, and without what is disabled in it.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { findJsonMistake } from './json-mistake.js';
import { isObject, type JsonObject } from './reader.js';

/** Keys that no configuration of Tailwater has at its top. */
const SIGNATURE: ReadonlySet<string> = new Set([
  'mainAddress',
  'oplogFile',
  'noDump',
  'onlyDump',
  'verbosity',
  'continueOnError',
  'timezoneAware',
  'authentication',
  'exclude_fields',
  'docManagers',
]);

/** A key that begins with this is disabled. */
const DISABLED = '__';

/**
 * The object of a text that is a configuration of mongo-connector; undefined for any other text. A key that comes twice counts as it
 * does the last time, which JSON allows.
 */
export function readMongoConnector(text: string): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(text));
  } catch {
    return undefined;
  }
  return isMongoConnector(value) ? withoutDisabled(value) : undefined;
}

const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

/** Blanks and comments before a `{`; each in one way only, so that no text takes long. */
const BEGINS_JSON = /^(?:\s|(?:\/\/|#)[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*\{/;
const ITS_KEY = new RegExp(`["'](?:${[...SIGNATURE].join('|')})["']\\s*:`);

/**
 * What keeps a text from being JSON that is to be JSON: by the name of its file, or because it has keys of mongo-connector. Read as YAML it
 * would have a mistake for each key, and none of them would be the one.
 */
export function jsonMistakeOf(text: string, file: string): TailwaterError | undefined {
  const content = withoutMark(text);
  if (!BEGINS_JSON.test(content) || !(file.toLowerCase().endsWith('.json') || ITS_KEY.test(content))) return undefined;
  const mistake = findJsonMistake(content);
  if (mistake === undefined) return undefined;
  const before = content.slice(0, mistake.offset).split('\n');
  const place = `${file}:${before.length}:${(before.at(-1) ?? '').length + 1}`;
  return new TailwaterError(errorCodes.CONFIGURATION_FILE_MALFORMED, { place, reason: `the file is no JSON: ${mistake.reason}` });
}

/** Also with all of its keys disabled it is one. */
function isMongoConnector(value: unknown): value is JsonObject {
  if (!isObject(value)) return false;
  return Object.keys(value).some((key) => SIGNATURE.has(enabledName(key))) || hasItsNamespaces(value['namespaces']);
}

const enabledName = (key: string): string => (key.startsWith(DISABLED) ? key.slice(DISABLED.length) : key);

/** Tailwater’s section of this name has neither namespaces for keys nor a mapping. */
const hasItsNamespaces = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).some((key) => key.includes('.') || key === 'mapping');

/** No key of mongo-connector's is deeper; what is in a file by mistake must not exhaust the stack. */
const MAX_DEPTH = 50;

function withoutDisabled(value: JsonObject, depth = 0): JsonObject {
  const enabled = Object.entries(value).filter(([key]) => !key.startsWith(DISABLED));
  return Object.fromEntries(enabled.map(([key, inner]) => [key, withoutDisabledInside(inner, depth + 1)]));
}

function withoutDisabledInside(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((each) => withoutDisabledInside(each, depth + 1));
  return isObject(value) ? withoutDisabled(value, depth) : value;
}
