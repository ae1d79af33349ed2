// The values an option takes: typed as in a file, or as text from a flag or the environment.
import { z } from 'zod';
import { REDACTED } from '../errors/redact.js';
import type { OptionSpec } from './option-spec.js';

/** A value, or the place inside it that is wrong: `[2]` for the third of a list. */
export type ParsedValue = { readonly value: unknown } | { readonly wrongAt: readonly (string | number)[] };

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

/** A value of a configuration file, with its own type. One text stands for a list as it would on the command line. */
export function parseTyped(spec: OptionSpec, value: unknown): ParsedValue {
  const typed = spec.type === 'list' && typeof value === 'string' ? splitList([value], spec) : value;
  const result = schemaOf(spec).safeParse(typed);
  if (result.success) return { value: result.data };
  const path = result.error.issues[0]?.path ?? [];
  return { wrongAt: path.filter((part) => typeof part !== 'symbol') };
}

/** A value given as text, once or several times. Of several single values the last counts, as is the custom of shells. */
export function parseTexts(spec: OptionSpec, texts: readonly string[]): ParsedValue {
  const last = texts.at(-1) ?? '';
  switch (spec.type) {
    case 'list':
      return parseTyped(spec, splitList(texts, spec));
    case 'map':
      return parseTyped(spec, splitMap(texts, spec));
    case 'number':
      return parseTyped(spec, NUMBER.test(last.trim()) ? Number(last) : undefined);
    case 'boolean':
      return parseTyped(spec, TRUE.has(last.toLowerCase()) ? true : FALSE.has(last.toLowerCase()) ? false : undefined);
    case 'string':
      return parseTyped(spec, last);
  }
}

/** What the option takes, for an error: `one of pretty, json`. */
export function expectedOf(spec: OptionSpec): string {
  switch (spec.type) {
    case 'string':
      return spec.choices === undefined ? 'a text' : `one of ${spec.choices.join(', ')}`;
    case 'list':
      return spec.choices === undefined ? 'a list of texts' : `a list of ${spec.choices.join(', ')}`;
    case 'map':
      return 'a mapping from text to text (name=value on the command line)';
    case 'boolean':
      return 'true or false';
    case 'number':
      return [
        spec.fractional === true ? 'a number' : 'a whole number',
        ...(spec.min === undefined ? [] : [`of at least ${spec.min}`]),
        ...(spec.max === undefined ? [] : [`of at most ${spec.max}`]),
      ].join(' ');
  }
}

/** What was there instead, for an error, unless it is a secret. */
export function actualOf(spec: OptionSpec | undefined, value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  if (spec?.secret === true) return REDACTED;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function schemaOf(spec: OptionSpec): z.ZodType {
  const text = 'choices' in spec && spec.choices !== undefined ? z.enum(spec.choices as [string, ...string[]]) : z.string().min(1);
  switch (spec.type) {
    case 'string':
      return text;
    case 'list':
      return z.array(text);
    case 'map':
      return z.record(z.string().min(1), z.string().min(1));
    case 'boolean':
      return z.boolean();
    case 'number': {
      const number = spec.fractional === true ? z.number() : z.int();
      return number.min(spec.min ?? Number.MIN_SAFE_INTEGER).max(spec.max ?? Number.MAX_SAFE_INTEGER);
    }
  }
}

function splitList(texts: readonly string[], { hasCommas = false }: { readonly hasCommas?: boolean }): string[] {
  return texts
    .flatMap((text) => (hasCommas ? [text] : text.split(',')))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `name=value` each; one without `=` has no value, which the schema refuses. */
function splitMap(texts: readonly string[], spec: { readonly hasCommas?: boolean }): Record<string, string> {
  const pairs = splitList(texts, spec).map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [pair, ''] : [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
  });
  return Object.fromEntries(pairs);
}
