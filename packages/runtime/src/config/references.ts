// `${VARIABLE}` in any text of the file.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

/** `$${` is a plain `${`. */
const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether any text in the value, in a list or a mapping too, has something for {@link expand} to do. */
export function hasReference(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${');
  return typeof value === 'object' && value !== null && Object.values(value).some(hasReference);
}

/** The value so that {@link expand} leaves it as it is. */
export function escapeReferences(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(escapeReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, escapeReferences(member)]));
}

/**
 * The value with every `${VARIABLE}` replaced.
 *
 * @param where - what the value belongs to, for the error: `tw.yaml:3:8: source.uri`
 * @throws TailwaterError TW1020 for a variable that is not set, TW1021 for `${` that begins no variable
 */
export function expand(value: unknown, env: Environment, where: string): unknown {
  if (Array.isArray(value)) return value.map((member) => expand(member, env, where));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expand(member, env, where)]));
  if (typeof value !== 'string') return value;
  return value.replace(REFERENCE, (_all, name: string | undefined, end: string | undefined) => {
    if (name === undefined) return '${';
    if (end === '' || !NAME.test(name)) throw new TailwaterError(errorCodes.CONFIGURATION_VARIABLE_MALFORMED, { where });
    const text = env[name];
    if (text === undefined) throw new TailwaterError(errorCodes.CONFIGURATION_VARIABLE_NOT_SET, { where, variable: name });
    return text;
  });
}
