// What the user may say about Elasticsearch beyond its URL, and the files that the options name.
import { readFileSync } from 'node:fs';
import { defineOptions, type OptionValues, TailwaterError } from '@tailwater/runtime';
import { type IndexTemplate, readTemplate } from './template-file.js';

const group = 'Elasticsearch:';

export const elasticsearchOptions = defineOptions({
  esApiKey: { type: 'string', group, describe: 'API key, as Elasticsearch encodes it; better given as TAILWATER_ES_API_KEY', secret: true },
  esUser: { type: 'string', group, describe: 'User, if the URL has none' },
  esPassword: { type: 'string', group, describe: 'Password for --es-user; better given as TAILWATER_ES_PASSWORD', secret: true },
  esTlsCa: { type: 'string', group, describe: 'PEM file of the CA that signed the server’s certificate; by default the well-known ones' },
  esCompression: { type: 'boolean', group, describe: 'Send requests gzipped: for slow lines; costs CPU' },
  esTemplate: {
    type: 'list',
    group,
    describe: 'JSON files, each the body of an index template (settings, mappings); put at the start as tailwater-<file name>',
  },
  esPipeline: { type: 'string', group, describe: 'Ingest pipeline that every document passes' },
  esAliasSuffix: {
    type: 'string',
    group,
    describe: 'Write through aliases: what this is appended to is the index’s name, and the alias has the plain name',
  },
});

/** What the options ask for. */
export interface ElasticsearchSettings {
  readonly auth?: { readonly apiKey: string } | { readonly username: string; readonly password: string };
  /** PEM. */
  readonly ca?: string;
  readonly compression?: boolean;
  readonly templates?: readonly IndexTemplate[];
  readonly pipeline?: string;
  readonly aliasSuffix?: string;
}

/**
 * @throws TailwaterError TW1007 when half of user and password is missing, TW1015 for two kinds of credentials, TW1017 and TW1341 for
 * a file that is not usable, TW1006 for a suffix that no index name can have
 */
export function elasticsearchSettings(given: OptionValues<typeof elasticsearchOptions>): ElasticsearchSettings {
  const auth = authOf(given);
  return {
    ...(auth === undefined ? {} : { auth }),
    ...(given.esTlsCa === undefined ? {} : { ca: readCa(given.esTlsCa) }),
    compression: given.esCompression,
    templates: given.esTemplate.map((file) => readTemplate(file)),
    ...(given.esPipeline === undefined ? {} : { pipeline: given.esPipeline }),
    ...(given.esAliasSuffix === undefined ? {} : { aliasSuffix: checkSuffix(given.esAliasSuffix) }),
  };
}

function authOf({ esApiKey, esUser, esPassword }: OptionValues<typeof elasticsearchOptions>): ElasticsearchSettings['auth'] {
  if (esApiKey !== undefined && esUser !== undefined)
    throw new TailwaterError('TW1015', { first: '--es-api-key', second: '--es-user', reason: 'one request carries one of the two' });
  if (esApiKey !== undefined) return { apiKey: esApiKey };
  if (esUser !== undefined && esPassword !== undefined) return { username: esUser, password: esPassword };
  if (esUser === undefined && esPassword === undefined) return undefined;
  throw esUser === undefined
    ? new TailwaterError('TW1007', { flag: '--es-user', variable: 'TAILWATER_ES_USER', key: 'esUser' })
    : new TailwaterError('TW1007', { flag: '--es-password', variable: 'TAILWATER_ES_PASSWORD', key: 'esPassword' });
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TailwaterError('TW1017', { file, option: '--es-tls-ca', reason }, { cause: error });
  }
}

function checkSuffix(suffix: string): string {
  if (/^[a-z0-9._-]{1,50}$/.test(suffix)) return suffix;
  throw new TailwaterError('TW1006', {
    flag: '--es-alias-suffix',
    expected: '1 to 50 small letters, digits, dots, _ and -',
    actual: JSON.stringify(suffix),
  });
}
