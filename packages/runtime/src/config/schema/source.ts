// `source:` the MongoDB that is read.
import { z } from 'zod';
import { configOption, text } from '../option.js';

const group = 'Source';

export const source = {
  uri: configOption('mongo', text(), {
    group,
    describe: 'Connection string of the replica set, https://www.mongodb.com/docs/manual/reference/connection-string/',
    secret: 'uri',
    placeholder: 'mongodb://…',
  }),
  user: configOption('mongoUser', text().optional(), { group, describe: 'User, if --mongo has none' }),
  password: configOption('mongoPassword', text().optional(), {
    group,
    describe: 'Password for --mongo-user; better given in a file or as TAILWATER_MONGO_PASSWORD',
    secret: 'value',
  }),
  tls: {
    ca: configOption('mongoTlsCa', text().optional(), {
      group,
      describe: 'PEM file of the CA that signed the servers’ certificates; by default the well-known ones',
      placeholder: 'file',
    }),
    cert: configOption('mongoTlsCert', text().optional(), {
      group,
      describe: 'PEM file of this client’s certificate; with authMechanism=MONGODB-X509 in --mongo it is the user',
      placeholder: 'file',
    }),
    key: configOption('mongoTlsKey', text().optional(), {
      group,
      describe: 'PEM file of its private key, if that is not in the same file',
      placeholder: 'file',
    }),
    keyPassword: configOption('mongoTlsKeyPassword', text().optional(), {
      group,
      describe: 'Password of that key, if it has one; better given in a file or as TAILWATER_MONGO_TLS_KEY_PASSWORD',
      secret: 'value',
    }),
  },
  type: configOption('source', z.enum(['oplog', 'change-stream']).default('oplog'), {
    group,
    describe: 'What is read for changes; a change stream needs no access to the database local, and works through a mongos',
  }),
  fullDocument: configOption('fullDocument', z.enum(['lookup', 'when-available']).default('lookup'), {
    group,
    describe:
      'Where a change stream has the documents of updates from: looked up by the producer in batches; or, from collections with changeStreamPreAndPostImages, as they were right after the update',
  }),
} as const;
