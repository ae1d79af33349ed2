// `source:` the MongoDB that is read.
import { z } from 'zod';
import { leaf, text } from '../option.js';

const group = 'Source';

export const source = {
  uri: leaf('mongo', text(), {
    group,
    describe: 'Connection string of the replica set, https://www.mongodb.com/docs/manual/reference/connection-string/',
    secret: 'uri',
    placeholder: 'mongodb://…',
  }),
  type: leaf('source', z.enum(['oplog', 'change-stream']).default('oplog'), {
    group,
    describe: 'What is read for changes; a change stream needs no access to the database local, and works through a mongos',
  }),
  fullDocument: leaf('fullDocument', z.enum(['lookup', 'when-available']).default('lookup'), {
    group,
    describe:
      'Where a change stream has the documents of updates from: looked up by the producer in batches; or, from collections with changeStreamPreAndPostImages, as they were right after the update',
  }),
} as const;
