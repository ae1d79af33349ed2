// Where each value comes from: flag, else option of mongo-connector, else environment variable, else file, else default.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { resolveSecret } from '../secrets/secret-file.js';
import type { FileEntry } from './config-file.js';
import type { FileScope } from './file-scope.js';
import { flagName, type Option, type Options, type OptionValues, variableName } from './option.js';
import { actualOf, expectedOf, isRequired, type ParsedValue, parseTexts, parseTyped } from './option-value.js';
import { throwProblems } from './problems.js';
import { type Environment, expand, hasReference } from './references.js';
import { keyOf } from './schema/configuration.js';

/** Flags by option name: a text for each time one was given; true or false for a boolean. */
export type Flags = Readonly<Record<string, readonly string[] | boolean | undefined>>;

export interface Sources {
  readonly flags: Flags;
  readonly env: Environment;
  readonly file?: FileScope | undefined;
  /** What options of mongo-connector say on the command line. */
  readonly commandLine?: FileScope | undefined;
}

export type Origin = { readonly kind: 'flag' | 'environment' | 'file'; readonly place: string } | { readonly kind: 'default' | 'none' };

/** A value and where it comes from. */
export interface Resolved {
  readonly value: unknown;
  readonly origin: Origin;
}

/**
 * The values of the options. An environment variable that is set to nothing counts as not set.
 *
 * @throws TailwaterError TW1006, TW1009 or TW1002 for a wrong value, TW1007 for a required option that is missing, TW1017, TW1020,
 * TW1021 or TW1044 for what a value refers to; TW1019 for several of them
 */
export function loadOptions<const Given extends Options>(options: Given, sources: Sources): OptionValues<Given> {
  const problems: TailwaterError[] = [];
  const resolved = resolveOptions(options, sources, problems);
  for (const [name, { origin }] of Object.entries(resolved)) {
    const option = options[name];
    if (origin.kind === 'none' && option !== undefined && isRequired(option)) problems.push(missingOption(name));
  }
  throwProblems(problems);
  return Object.fromEntries(Object.entries(resolved).map(([name, { value }]) => [name, value])) as OptionValues<Given>;
}

/** As {@link loadOptions}, with the origin of each value; what is required may be missing, and what is wrong is added to `problems`. */
export function resolveOptions(options: Options, sources: Sources, problems: TailwaterError[]): Record<string, Resolved> {
  const resolved = Object.entries(options).map(([name, option]): [string, Resolved] => {
    try {
      return [name, resolve(name, option, sources)];
    } catch (error) {
      if (!(error instanceof TailwaterError)) throw error;
      problems.push(error);
      // Not missing: it is there, and wrong.
      return [name, { value: undefined, origin: { kind: 'default' } }];
    }
  });
  return Object.fromEntries(resolved);
}

function resolve(name: string, option: Option, { flags, env, file, commandLine }: Sources): Resolved {
  const given = flags[name];
  const flag = flagName(name);
  if (given !== undefined) {
    const value = typeof given === 'boolean' ? given : fromTexts(option, given, flag, (actual) => wrongFlag(flag, option, actual));
    return { value, origin: { kind: 'flag', place: flag } };
  }
  const foreign = commandLine?.entryOf(name);
  if (foreign !== undefined) return { value: fromFile(option, foreign, env), origin: { kind: 'flag', place: foreign.place } };
  const variable = variableName(name);
  const text = env[variable];
  if (text !== undefined && text !== '') {
    const wrong = (actual: string) =>
      new TailwaterError(errorCodes.WRONG_ENVIRONMENT_VALUE, { variable, expected: expectedOf(option), actual });
    return { value: fromTexts(option, [text], variable, wrong), origin: { kind: 'environment', place: variable } };
  }
  const entry = file?.entryOf(name);
  if (entry !== undefined) return { value: fromFile(option, entry, env), origin: { kind: 'file', place: entry.place } };
  const parsed = option.schema.safeParse(undefined);
  return { value: parsed.data, origin: { kind: parsed.success && parsed.data !== undefined ? 'default' : 'none' } };
}

function fromTexts(option: Option, texts: readonly string[], where: string, wrong: (actual: string) => TailwaterError): unknown {
  const values = option.secret === undefined ? texts : texts.map((each) => resolveSecret(each, where));
  const parsed = parseTexts(option, values);
  if ('value' in parsed) return parsed.value;
  throw wrong(actualOf(option, values.join(',')));
}

export function wrongFlag(flag: string, option: Option, actual: string): TailwaterError {
  return new TailwaterError(errorCodes.WRONG_FLAG_VALUE, { flag, expected: expectedOf(option), actual });
}

function fromFile(option: Option, { key, place, written }: FileEntry, env: Environment): unknown {
  const where = `${place}: ${key}`;
  const expanded = expand(written, env, where);
  const value = option.secret !== undefined && typeof expanded === 'string' ? resolveSecret(expanded, where) : expanded;
  // A variable holds text, which is read as in the environment.
  const parsed: ParsedValue = hasReference(written) && typeof value === 'string' ? parseTexts(option, [value]) : parseTyped(option, value);
  if ('value' in parsed) return parsed.value;
  throw new TailwaterError(errorCodes.WRONG_CONFIGURATION_VALUE, {
    place,
    key,
    expected: expectedOf(option),
    actual: actualOf(option, value),
  });
}

/** TW1007 for an option that a command, or another option, needs. */
export function missingOption(name: string): TailwaterError {
  const key = keyOf(name);
  const file = key === undefined ? '' : `, or the key ${key} in the configuration file`;
  return new TailwaterError(errorCodes.REQUIRED_OPTION_MISSING, { flag: flagName(name), variable: variableName(name), file });
}
