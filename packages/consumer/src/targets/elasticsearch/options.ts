// What the user may say about Elasticsearch beyond its URL and what every target has, and the files that the options name.
import { configOptions, errorCodes, type OptionValues, TailwaterError, type TlsMaterial } from '@tailwater/runtime';
import type { TargetAccess } from '../access.js';
import { type IndexTemplate, readTemplate } from './template-file.js';

const { esApiKey, esCompression, esTemplate, esPipeline, esAttachmentField, esAliasSuffix } = configOptions;

export const elasticsearchOptions = { esApiKey, esCompression, esTemplate, esPipeline, esAttachmentField, esAliasSuffix } as const;

/** What the options ask for. */
export interface ElasticsearchSettings {
  readonly auth?: { readonly apiKey: string } | { readonly username: string; readonly password: string };
  readonly tls?: TlsMaterial;
  readonly compression?: boolean;
  readonly templates?: readonly IndexTemplate[];
  readonly pipeline?: string;
  /** Default: content. */
  readonly attachmentField?: string;
  readonly aliasSuffix?: string;
}

/**
 * @throws TailwaterError TW1015 for two kinds of credentials, TW1341 for a file that is not usable
 */
export function elasticsearchSettings(given: OptionValues<typeof elasticsearchOptions>, access: TargetAccess): ElasticsearchSettings {
  const auth = authOf(given.esApiKey, access.user);
  return {
    ...(auth === undefined ? {} : { auth }),
    ...(access.tls === undefined ? {} : { tls: access.tls }),
    compression: given.esCompression,
    templates: given.esTemplate.map((file) => readTemplate(file)),
    ...(given.esPipeline === undefined ? {} : { pipeline: given.esPipeline }),
    attachmentField: given.esAttachmentField,
    ...(given.esAliasSuffix === undefined ? {} : { aliasSuffix: given.esAliasSuffix }),
  };
}

function authOf(apiKey: string | undefined, user: TargetAccess['user']): ElasticsearchSettings['auth'] {
  if (apiKey !== undefined && user !== undefined)
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, {
      first: '--es-api-key',
      second: '--target-user',
      reason: 'one request carries one of the two',
    });
  if (apiKey !== undefined) return { apiKey };
  return user === undefined ? undefined : { username: user.name, password: user.password };
}
