// A part of mongo-connector's configuration, key by key: typed, and watched, so that a key that was not read can be named.

import { errorCodes, isSecretName, REDACTED, redactUrl, TailwaterError } from '@tailwater/runtime';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Nothing, or a scheme and a user without a host. */
const NO_SERVER = /^(?:[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?(?:[/?#].*)?)?$/is;

export class Reader {
  readonly #values: JsonObject;
  readonly #path: string;
  readonly #file: string;
  readonly #unread: Set<string>;

  /** @param path - how the part is called in messages: `docManagers[0].` */
  constructor(values: JsonObject, file: string, path = '') {
    this.#values = values;
    this.#file = file;
    this.#path = path;
    this.#unread = new Set(Object.keys(values));
  }

  /** The keys that were not asked for, as messages call them. */
  get unread(): string[] {
    return [...this.#unread].map((key) => this.name(key));
  }

  /** As messages call the key. */
  name(key: string): string {
    return `${this.#path}${key}`;
  }

  keys(): string[] {
    return Object.keys(this.#values);
  }

  /** The value as it is; null counts as not given, as it does for mongo-connector. */
  any(key: string): unknown {
    this.#unread.delete(key);
    return Object.hasOwn(this.#values, key) ? (this.#values[key] ?? undefined) : undefined;
  }

  text(key: string): string | undefined {
    const value = this.any(key);
    return value === undefined || typeof value === 'string' ? value : this.#refuse(key, 'a text', value);
  }

  flag(key: string): boolean | undefined {
    const value = this.any(key);
    return value === undefined || typeof value === 'boolean' ? value : this.#refuse(key, 'true or false', value);
  }

  /** A number of at least `min`; whole unless told otherwise. */
  number(key: string, { min = 0, fractional = false }: { readonly min?: number; readonly fractional?: boolean } = {}): number | undefined {
    const value = this.any(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= min && (fractional || Number.isSafeInteger(value))) return value;
    return this.#refuse(key, `${fractional ? 'a number' : 'a whole number'} of at least ${min}`, value);
  }

  list(key: string): readonly string[] {
    const value = this.any(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    return this.#refuse(key, 'a list of texts', value);
  }

  /**
   * An address; undefined when the key is not there. Unlike elsewhere, null is no way to leave it out: what a template left empty must
   * not become some other server.
   *
   * @throws TailwaterError TW1069 for one that names no server
   */
  address(key: string): string | undefined {
    const isThere = Object.hasOwn(this.#values, key);
    return isThere ? this.#addressOf(key, this.any(key)) : undefined;
  }

  /** One address or a list of them; none when the key is not there. As {@link address} else. */
  addresses(key: string): readonly string[] {
    const isThere = Object.hasOwn(this.#values, key);
    const value = this.any(key);
    if (!Array.isArray(value)) return isThere ? [this.#addressOf(key, value)] : [];
    if (value.length === 0) return [this.#addressOf(key, undefined)];
    return value.map((each: unknown, index) => this.#addressOf(`${key}[${index}]`, each));
  }

  #addressOf(key: string, value: unknown): string {
    const address = typeof value === 'string' ? value.trim() : value === null ? undefined : value;
    if (address === undefined || (typeof address === 'string' && NO_SERVER.test(address)))
      throw new TailwaterError(errorCodes.MONGO_CONNECTOR_ADDRESS_WITHOUT_SERVER, { file: this.#file, key: this.name(key) });
    return typeof address === 'string' ? address : this.#refuse(key, 'a text', value);
  }

  /** A part of its own; an empty one when it is not given. */
  part(key: string): Reader {
    const value = this.any(key) ?? {};
    if (!isObject(value)) return this.#refuse(key, 'an object', value);
    return new Reader(value, this.#file, `${this.name(key)}.`);
  }

  parts(key: string): Reader[] {
    const value = this.any(key) ?? [];
    if (!Array.isArray(value)) return this.#refuse(key, 'a list of objects', value);
    return value.map((each, index) => {
      if (!isObject(each)) return this.#refuse(`${key}[${index}]`, 'an object', each);
      return new Reader(each, this.#file, `${this.name(key)}[${index}].`);
    });
  }

  choice<const Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.any(key);
    const choice = choices.find((each) => each === value);
    return value === undefined || choice !== undefined ? choice : this.#refuse(key, `one of ${choices.join(', ')}`, value);
  }

  /** For what mongo-connector would not have started with either. */
  fail(reason: string): never {
    throw new TailwaterError(errorCodes.MONGO_CONNECTOR_CONTRADICTION, { file: this.#file, reason });
  }

  /** @throws TailwaterError TW1060 */
  refuse(key: string, expected: string): never {
    return this.#refuse(key, expected, this.any(key));
  }

  #refuse(key: string, expected: string, value: unknown): never {
    throw new TailwaterError(errorCodes.MONGO_CONNECTOR_WRONG_VALUE, {
      file: this.#file,
      key: this.name(key),
      expected,
      actual: shown(key, value),
    });
  }
}

function shown(key: string, value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (isSecretName(key) || key === 'http_auth') return REDACTED;
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  const text = redactUrl(JSON.stringify(value));
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
