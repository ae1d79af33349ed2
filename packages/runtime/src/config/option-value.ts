// The values an option takes: typed as in a file, or as text from a flag or the environment.
import { z } from 'zod';
import { REDACTED } from '../errors/redact.js';
import type { Option } from './option.js';

/** A value, or the place inside it that is wrong: `[2]` for the third of a list. */
export type ParsedValue = { readonly value: unknown } | { readonly wrongAt: readonly (string | number)[] };

/** What JSON Schema says of an option's values. */
export interface Shape {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Shape;
}

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

const shapes = new WeakMap<z.ZodType, Shape>();

export function shapeOf({ schema }: Option): Shape {
  let shape = shapes.get(schema);
  if (shape === undefined) {
    const { minimum, maximum, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Shape;
    shape = {
      ...rest,
      // Every whole number has these bounds, which say nothing to a reader.
      ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
      ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
    };
    shapes.set(schema, shape);
  }
  return shape;
}

/** Whether a command that has the option does not run without a value. */
export const isRequired = ({ schema }: Option): boolean => !schema.safeParse(undefined).success;

/** A value of a configuration file, with its own type. One text stands for a list as it would on the command line. */
export function parseTyped(option: Option, value: unknown): ParsedValue {
  const typed = shapeOf(option).type === 'array' && typeof value === 'string' ? splitList([value], option) : value;
  // A default is for a value that is not given, not for one that is not there.
  if (typed === undefined || typed === null) return { wrongAt: [] };
  const result = option.schema.safeParse(typed);
  if (result.success) return { value: result.data };
  const path = result.error.issues[0]?.path ?? [];
  return { wrongAt: path.filter((part) => typeof part !== 'symbol') };
}

/** A value given as text, once or several times. Of several single values the last counts, as is the custom of shells. */
export function parseTexts(option: Option, texts: readonly string[]): ParsedValue {
  const last = texts.at(-1) ?? '';
  switch (shapeOf(option).type) {
    case 'array':
      return parseTyped(option, splitList(texts, option));
    case 'object':
      return parseTyped(option, splitMap(texts, option));
    case 'integer':
    case 'number':
      return parseTyped(option, NUMBER.test(last.trim()) ? Number(last) : undefined);
    case 'boolean':
      return parseTyped(option, TRUE.has(last.toLowerCase()) ? true : FALSE.has(last.toLowerCase()) ? false : undefined);
    case 'string':
      return parseTyped(option, last);
  }
}

/** What the option takes, for an error: `one of pretty, json`. */
export function expectedOf(option: Option): string {
  if (option.expected !== undefined) return option.expected;
  const { type, enum: choices, items, minimum, maximum } = shapeOf(option);
  switch (type) {
    case 'string':
      return choices === undefined ? 'a text' : `one of ${choices.join(', ')}`;
    case 'array':
      return items?.enum === undefined ? 'a list of texts' : `a list of ${items.enum.join(', ')}`;
    case 'object':
      return 'a mapping from text to text (name=value on the command line)';
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number': {
      const what = type === 'integer' ? 'a whole number' : 'a number';
      if (minimum !== undefined && maximum !== undefined) return `${what} from ${minimum} to ${maximum}`;
      if (minimum !== undefined) return `${what} of at least ${minimum}`;
      return maximum === undefined ? what : `${what} of at most ${maximum}`;
    }
  }
}

/** The default as the flag would give it; empty if there is no default, or nothing to tell. */
export function describeDefault(option: Option): string {
  const { default: value } = shapeOf(option);
  if (value === undefined || value === false || option.secret !== undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map((pair) => pair.join('='))
    .join(',');
}

/** What was there instead, for an error, unless it is a secret. */
export function actualOf(option: Option | undefined, value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  if (option?.secret !== undefined) return REDACTED;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function splitList(texts: readonly string[], { hasCommas }: Option): string[] {
  return texts
    .flatMap((text) => (hasCommas ? [text] : text.split(',')))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `name=value` each; one without `=` has no value, which the schema refuses. */
function splitMap(texts: readonly string[], option: Option): Record<string, string> {
  const pairs = splitList(texts, option).map((pair): [string, string] => {
    const equals = option.namesNamespaces ? endOfNamespace(pair) : pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    return [option.namesNamespaces ? name.trim().replaceAll('\\=', '=') : name.trim(), value.trim()];
  });
  return Object.fromEntries(pairs);
}

/** The `=` that ends the namespace: the first one behind a dot, as a database has none. */
function endOfNamespace(pair: string): number {
  const places = Array.from(pair.matchAll(/(?<!\\)=/g), ({ index }) => index);
  return places.find((at) => pair.slice(0, at).includes('.')) ?? places[0] ?? -1;
}
