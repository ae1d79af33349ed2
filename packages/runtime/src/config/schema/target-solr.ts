// What a target of the type `solr` has beyond what all targets have.
import { z } from 'zod';
import { configOption, text } from '../option.js';

const group = 'Solr';

export const solr = {
  schema: configOption('solrSchema', z.enum(['drop', 'add']).default('drop'), {
    group,
    describe: 'What to do with fields that the schema lacks: drop leaves them out and counts them; add adds them to the schema',
  }),
  ids: configOption('solrIds', z.enum(['plain', 'namespaced']).optional(), {
    group,
    describe:
      'Ids of a core that takes several namespaces: namespaced puts db.collection/ before each; plain leaves them, for ids that no two collections share',
  }),
  updateChain: configOption('solrUpdateChain', text().optional(), {
    group,
    describe: 'Update processor chain of the core to send changes through; best one that begins with TolerantUpdateProcessorFactory',
  }),
  versionField: configOption('solrVersionField', text().optional(), {
    group,
    describe: 'Field for the version of each document, when the chain refuses older ones with DocBasedVersionConstraintsProcessorFactory',
    placeholder: 'field',
  }),
  deleteVersion: configOption('solrDeleteVersion', text().default('del_version'), {
    group,
    describe: 'Parameter that carries the version of a delete: deleteVersionParam of that factory',
  }),
  uniqueKey: configOption('uniqueKey', text().optional(), {
    group,
    describe: 'Field that takes the _id; only checked, because the schema decides',
    placeholder: 'field',
  }),
  contentField: configOption('solrContentField', text().default('content'), {
    group,
    describe: 'Field that takes the text of a GridFS file, which /update/extract of the core reads out of its content',
    placeholder: 'field',
  }),
} as const;
