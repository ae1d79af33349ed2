// Where each value comes from: flag, else environment variable, else file, else default.
import { TailwaterError } from '../errors/tailwater-error.js';
import { resolveSecret } from '../secrets/secret-file.js';
import type { FileValues } from './config-file.js';
import { flagName, type OptionSpec, type OptionSpecs, type OptionValues, variableName } from './option-spec.js';
import { actualOf, expectedOf, parseTexts } from './option-value.js';

/** Flags by option name: a text for each time one was given; true or false for a boolean. */
export type Flags = Readonly<Record<string, readonly string[] | boolean | undefined>>;

/**
 * The values of the options. An environment variable that is set to nothing counts as not set. A secret may be `file:` and a path.
 *
 * @throws TailwaterError TW1006 or TW1009 for a wrong value, TW1007 for a required option that nobody gave, TW1017 and
 *   TW1044 for a secret's file
 */
export function loadOptions<Specs extends OptionSpecs>(
  specs: Specs,
  flags: Flags,
  env: NodeJS.ProcessEnv,
  file: FileValues = new Map(),
): OptionValues<Specs> {
  const values = Object.entries(specs).map(([name, spec]) => {
    const value = fromFlag(name, spec, flags[name]) ?? fromVariable(name, spec, env) ?? file.get(name) ?? defaultOf(spec);
    if (value === undefined && spec.required === true) throw missing(name, spec);
    if (spec.required === true && Array.isArray(value) && value.length === 0) throw missing(name, spec);
    return [name, spec.secret === true && typeof value === 'string' ? resolveSecret(value, flagName(name)) : value];
  });
  return Object.fromEntries(values) as OptionValues<Specs>;
}

function fromFlag(name: string, spec: OptionSpec, given: readonly string[] | boolean | undefined): unknown {
  if (given === undefined || typeof given === 'boolean') return given;
  const parsed = parseTexts(spec, given);
  if ('value' in parsed) return parsed.value;
  throw new TailwaterError('TW1006', { flag: flagName(name), expected: expectedOf(spec), actual: actualOf(spec, given.join(',')) });
}

function fromVariable(name: string, spec: OptionSpec, env: NodeJS.ProcessEnv): unknown {
  const variable = variableName(name, spec);
  const text = env[variable];
  if (text === undefined || text === '') return undefined;
  const parsed = parseTexts(spec, [text]);
  if ('value' in parsed) return parsed.value;
  throw new TailwaterError('TW1009', { variable, expected: expectedOf(spec), actual: actualOf(spec, text) });
}

function defaultOf(spec: OptionSpec): unknown {
  switch (spec.type) {
    case 'list':
      return [...(spec.default ?? [])];
    case 'map':
      return { ...spec.default };
    case 'boolean':
      return spec.default ?? false;
    default:
      return spec.default;
  }
}

function missing(name: string, spec: OptionSpec): TailwaterError {
  return new TailwaterError('TW1007', { flag: flagName(name), variable: variableName(name, spec), key: name });
}
