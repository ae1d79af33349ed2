// `targets:` what a consumer writes to, by name. The type of a target decides which keys it has.
import { z } from 'zod';
import { configOption, map, text } from '../option.js';
import { elasticsearch } from './target-elasticsearch.js';
import { mongo } from './target-mongo.js';
import { solr } from './target-solr.js';

/** A path, a file: URL, or a name that ends as a module does. */
const MODULE = /^(?:\.{0,2}[\\/]|[A-Za-z]:[\\/]|file:)|\.[cm]?js$/;

/** Whether the type of a target names a module, not one of the targets that come with the consumer. */
export const isModulePath = (type: string): boolean => MODULE.test(type);

/** A part of the group's name, and of a topic's, so no dot; and `<prefix>.producer.dead-letters` is the producer's. */
export const TARGET_NAME = /^(?!producer$)[A-Za-z0-9_-]{1,100}$/;

export const isTargetName = (name: string): boolean => TARGET_NAME.test(name);

export const expectedTargetName = '1 to 100 letters, digits, _ and -, but not producer';

const common = {
  type: configOption('target', text(), {
    group: 'Target',
    describe: 'What to write to: es (Elasticsearch 8, 9), solr (Solr 9), mongo, or a module of your own: ./my-target.js',
    placeholder: 'type',
  }),
  url: configOption('targetUrl', text(), {
    group: 'Target',
    describe:
      'http://user:password@host:9200, several nodes separated by commas; cloud:<cloud id>; http://host:8983/solr, with /core at the end for one core; or a MongoDB connection string',
    secret: 'uri',
    placeholder: 'url',
  }),
  user: configOption('targetUser', text().optional(), { group: 'Target', describe: 'User, if the URL has none' }),
  password: configOption('targetPassword', text().optional(), {
    group: 'Target',
    describe: 'Password for --target-user; better given in a file or as TAILWATER_TARGET_PASSWORD',
    secret: 'value',
  }),
  tls: {
    ca: configOption('targetTlsCa', text().optional(), {
      group: 'Target',
      describe: 'PEM file of the CA that signed the server’s certificate; by default the well-known ones',
      placeholder: 'file',
    }),
    cert: configOption('targetTlsCert', text().optional(), {
      group: 'Target',
      describe: 'PEM file of this client’s certificate',
      placeholder: 'file',
    }),
    key: configOption('targetTlsKey', text().optional(), {
      group: 'Target',
      describe: 'PEM file of its private key, if that is not in the same file',
      placeholder: 'file',
    }),
    keyPassword: configOption('targetTlsKeyPassword', text().optional(), {
      group: 'Target',
      describe: 'Password of that key, if it has one; better given in a file or as TAILWATER_TARGET_TLS_KEY_PASSWORD',
      secret: 'value',
    }),
  },
  autoCommitInterval: configOption('autoCommitInterval', z.number().min(0).optional(), {
    group: 'Target',
    describe: 'Seconds after which what was written can be searched; 0 with each batch. When not given, the index or core decides',
  }),
  batchSize: configOption('batchSize', z.int().min(1).max(100_000).default(1000), {
    group: 'Batches',
    describe: 'Changes per request at most',
  }),
  batchBytes: configOption(
    'batchBytes',
    z
      .int()
      .min(1)
      .max(32 * 1024 * 1024)
      .default(4 * 1024 * 1024),
    {
      group: 'Batches',
      describe: 'Bytes of documents per request at most; a larger document goes alone',
    },
  ),
  inFlight: configOption('inFlight', z.int().min(1).max(64).default(4), {
    group: 'Batches',
    describe: 'Requests in flight at most, never two for one document',
  }),
  bufferBytes: configOption(
    'bufferBytes',
    z
      .int()
      .min(1)
      .max(1024 ** 3)
      .default(8 * 1024 * 1024),
    {
      group: 'Batches',
      describe: 'Bytes of documents that wait or are in flight at most',
    },
  ),
  requestTimeout: configOption('requestTimeout', z.int().min(1).default(60), {
    group: 'Batches',
    describe: 'Seconds after which a request counts as failed',
  }),
  onError: configOption('onError', z.enum(['dead-letter', 'skip', 'stop']).default('dead-letter'), {
    group: 'Errors',
    describe: 'What to do with a change that the target refuses for good, or a record that cannot be decoded',
  }),
  retryFor: configOption('retryFor', z.int().min(0).default(0), {
    group: 'Errors',
    describe: 'Seconds to retry while the target accepts nothing, or nothing of a namespace, before giving up; 0 is forever',
  }),
  refusalLimit: configOption('refusalLimit', z.int().min(0).default(1000), {
    group: 'Errors',
    describe:
      'Documents of a namespace refused in a row (a tenth of them when none was accepted before) after which it waits instead of filling the dead letters; 0 never',
  }),
} as const;

const module = {
  options: configOption('targetOption', map().default({}), {
    group: 'Target',
    describe: 'An option for a target that is a module, name=value',
    placeholder: 'name=value',
  }),
} as const;

/** The keys of a target by its type; `module` stands for every path. */
export const targetTypes = {
  es: { ...common, ...elasticsearch },
  solr: { ...common, ...solr },
  mongo: { ...common, ...mongo },
  module: { ...common, ...module },
} as const;
