// The options that only Solr has, and what they mean for the target.
import { configOptions, type OptionValues } from '@tailwater/runtime';

const { solrSchema, solrIds, solrUpdateChain, solrVersionField, solrDeleteVersion, uniqueKey, solrContentField } = configOptions;

export const solrOptions = {
  solrSchema,
  solrIds,
  solrUpdateChain,
  solrVersionField,
  solrDeleteVersion,
  uniqueKey,
  solrContentField,
} as const;

export interface SolrSettings {
  readonly schema: 'drop' | 'add';
  /** Undefined: a core takes one namespace, and its ids are plain. */
  readonly ids: 'plain' | 'namespaced' | undefined;
  readonly updateChain: string | undefined;
  readonly versionField: string | undefined;
  readonly deleteVersionParameter: string;
  readonly uniqueKey: string | undefined;
  /** Default: content. */
  readonly contentField?: string;
}

export function solrSettings(given: OptionValues<typeof solrOptions>): SolrSettings {
  return {
    schema: given.solrSchema,
    ids: given.solrIds,
    updateChain: given.solrUpdateChain,
    versionField: given.solrVersionField,
    deleteVersionParameter: given.solrDeleteVersion,
    uniqueKey: given.uniqueKey,
    contentField: given.solrContentField,
  };
}
