// How both processes are told to reach a schema registry, if there is one.

import { missingOption } from '../config/load-options.js';
import type { OptionValues } from '../config/option.js';
import { configOptions } from '../config/schema/configuration.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { readTlsFiles } from '../tls/tls-files.js';
import { basic, SchemaRegistry } from './schema-registry.js';

const { schemaRegistry, schemaRegistryUser, schemaRegistryPassword, schemaRegistryToken, schemaRegistryTlsCa } = configOptions;

export const registryOptions = {
  schemaRegistry,
  schemaRegistryUser,
  schemaRegistryPassword,
  schemaRegistryToken,
  schemaRegistryTlsCa,
} as const;

/**
 * The registry that the options name; undefined when they name none. Nothing is connected yet.
 *
 * @throws TailwaterError TW1006 for a malformed URL, TW1007 for half of a pair, TW1015 for user and token, TW1017, TW1040, TW1041
 *   for the file of the CA
 */
export function schemaRegistryOf(given: OptionValues<typeof registryOptions>): SchemaRegistry | undefined {
  const { schemaRegistry, schemaRegistryUser: user, schemaRegistryPassword: password, schemaRegistryToken: token } = given;
  if (schemaRegistry === undefined) return undefined;
  if ((user === undefined) !== (password === undefined)) {
    throw missingOption(user === undefined ? 'schemaRegistryUser' : 'schemaRegistryPassword');
  }
  if (user !== undefined && token !== undefined) {
    const reason = 'a registry takes one or the other';
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, {
      first: '--schema-registry-user',
      second: '--schema-registry-token',
      reason,
    });
  }
  const tls = readTlsFiles({ flag: '--schema-registry-tls', ca: given.schemaRegistryTlsCa });
  return new SchemaRegistry({
    urls: schemaRegistry.split(',').map((text) => parseUrl(text.trim())),
    ...(user === undefined || password === undefined ? {} : { authorization: basic(user, password) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  });
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '') return url;
  throw new TailwaterError(errorCodes.WRONG_FLAG_VALUE, {
    flag: '--schema-registry',
    expected: 'http://host:8081 or https://…',
    actual: 'something else',
  });
}
