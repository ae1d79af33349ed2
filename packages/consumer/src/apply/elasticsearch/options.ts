// What the user may say about Elasticsearch beyond its URL, and the files that the options name.
import { readFileSync } from 'node:fs';
import { leaves, missingOption, type OptionValues, TailwaterError } from '@tailwater/runtime';
import { type IndexTemplate, readTemplate } from './template-file.js';

const { esApiKey, esUser, esPassword, esTlsCa, esCompression, esTemplate, esPipeline, esAttachmentField, esAliasSuffix } = leaves;

export const elasticsearchOptions = {
  esApiKey,
  esUser,
  esPassword,
  esTlsCa,
  esCompression,
  esTemplate,
  esPipeline,
  esAttachmentField,
  esAliasSuffix,
} as const;

/** What the options ask for. */
export interface ElasticsearchSettings {
  readonly auth?: { readonly apiKey: string } | { readonly username: string; readonly password: string };
  /** PEM. */
  readonly ca?: string;
  readonly compression?: boolean;
  readonly templates?: readonly IndexTemplate[];
  readonly pipeline?: string;
  /** Default: content. */
  readonly attachmentField?: string;
  readonly aliasSuffix?: string;
}

/**
 * @throws TailwaterError TW1007 when half of user and password is missing, TW1015 for two kinds of credentials, TW1017 and TW1341 for
 * a file that is not usable
 */
export function elasticsearchSettings(given: OptionValues<typeof elasticsearchOptions>): ElasticsearchSettings {
  const auth = authOf(given);
  return {
    ...(auth === undefined ? {} : { auth }),
    ...(given.esTlsCa === undefined ? {} : { ca: readCa(given.esTlsCa) }),
    compression: given.esCompression,
    templates: given.esTemplate.map((file) => readTemplate(file)),
    ...(given.esPipeline === undefined ? {} : { pipeline: given.esPipeline }),
    attachmentField: given.esAttachmentField,
    ...(given.esAliasSuffix === undefined ? {} : { aliasSuffix: given.esAliasSuffix }),
  };
}

function authOf({ esApiKey, esUser, esPassword }: OptionValues<typeof elasticsearchOptions>): ElasticsearchSettings['auth'] {
  if (esApiKey !== undefined && esUser !== undefined)
    throw new TailwaterError('TW1015', { first: '--es-api-key', second: '--es-user', reason: 'one request carries one of the two' });
  if (esApiKey !== undefined) return { apiKey: esApiKey };
  if (esUser !== undefined && esPassword !== undefined) return { username: esUser, password: esPassword };
  if (esUser === undefined && esPassword === undefined) return undefined;
  throw missingOption(esUser === undefined ? 'esUser' : 'esPassword');
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TailwaterError('TW1017', { file, option: '--es-tls-ca', reason }, { cause: error });
  }
}
