// The options that only Solr has, and what they mean for the target.
import type { OptionValues } from '@tailwater/runtime';

const group = 'Solr:';

export const solrOptions = {
  solrSchema: {
    type: 'string',
    group,
    describe: 'What becomes of fields that the schema lacks: drop leaves them out, and counts them; add puts them into the schema',
    choices: ['drop', 'add'],
    default: 'drop',
  },
  solrIds: {
    type: 'string',
    group,
    describe:
      'Ids of a core that takes several namespaces: namespaced puts db.collection/ before each; plain leaves them, for ids that no two collections share',
    choices: ['plain', 'namespaced'],
  },
  solrUpdateChain: {
    type: 'string',
    group,
    describe: 'Update processor chain of the core to send changes through; best one that begins with TolerantUpdateProcessorFactory',
  },
  solrVersionField: {
    type: 'string',
    group,
    describe: 'Field for the version of each document, when the chain refuses older ones with DocBasedVersionConstraintsProcessorFactory',
  },
  solrDeleteVersion: {
    type: 'string',
    group,
    describe: 'Parameter that carries the version of a delete: deleteVersionParam of that factory',
    default: 'del_version',
  },
  uniqueKey: {
    type: 'string',
    group,
    describe: 'Field that takes the _id; only said to be checked, because the schema decides',
  },
} as const;

export interface SolrSettings {
  readonly schema: 'drop' | 'add';
  /** Undefined: a core takes one namespace, and its ids are plain. */
  readonly ids: 'plain' | 'namespaced' | undefined;
  readonly updateChain: string | undefined;
  readonly versionField: string | undefined;
  readonly deleteVersionParameter: string;
  readonly uniqueKey: string | undefined;
}

export function solrSettings(given: OptionValues<typeof solrOptions>): SolrSettings {
  return {
    schema: given.solrSchema,
    ids: given.solrIds,
    updateChain: given.solrUpdateChain,
    versionField: given.solrVersionField,
    deleteVersionParameter: given.solrDeleteVersion,
    uniqueKey: given.uniqueKey,
  };
}
