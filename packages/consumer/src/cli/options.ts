// The options that the consumer's commands share, each described once for the command line, the environment and the file.

import { kafkaOptions as connectionOptions, statusOptions } from '@tailwater/runtime';
import { ON_ERROR } from '../dead-letters/error-policy.js';

const prefix = {
  type: 'string',
  group: 'Kafka:',
  describe: 'What all topics begin with; the producer’s',
  default: 'tailwater',
} as const;

const target = {
  type: 'string',
  group: 'Target:',
  describe: 'What to write to: es (Elasticsearch 8, 9), solr (Solr 9), mongo, or a module of your own: ./my-target.js',
  required: true,
} as const;
const targetUrl = {
  type: 'string',
  group: 'Target:',
  describe:
    'http://user:password@host:9200, several nodes separated by commas; cloud:<cloud id>; http://host:8983/solr, with /core at the end for one core; or a MongoDB connection string',
  required: true,
  secret: true,
} as const;
const name = {
  type: 'string',
  group: 'Target:',
  describe: 'Name of this target; the consumer group is <prefix>.<name>. The target when not given',
} as const;

const autoCommitInterval = {
  type: 'number',
  group: 'Target:',
  describe: 'Seconds after which what was written can be searched; 0 with each batch. When not given, the index or core decides',
  fractional: true,
  min: 0,
} as const;

const targetOption = {
  type: 'map',
  group: 'Target:',
  describe: 'An option for a target that is a module, name=value',
} as const;

const include = {
  type: 'list',
  group: 'Namespaces:',
  describe: 'Namespaces to apply, db.collection with * as wildcard; all when none is named',
  default: [],
} as const;
const exclude = {
  type: 'list',
  group: 'Namespaces:',
  describe: 'Namespaces to leave out; beats --include',
  default: [],
} as const;
const rename = {
  type: 'map',
  group: 'Namespaces:',
  describe: 'Name at the target by name in the source, a=b; one * on each side',
} as const;

const batchSize = {
  type: 'number',
  group: 'Batches:',
  describe: 'Changes per request at most',
  default: 1000,
  min: 1,
  max: 100_000,
} as const;
const batchBytes = {
  type: 'number',
  group: 'Batches:',
  describe: 'Bytes of documents per request at most; a larger document goes alone',
  default: 4 * 1024 * 1024,
  min: 1,
  max: 32 * 1024 * 1024,
} as const;
const inFlight = {
  type: 'number',
  group: 'Batches:',
  describe: 'Requests in flight at most, never two for one document',
  default: 4,
  min: 1,
  max: 64,
} as const;
const bufferBytes = {
  type: 'number',
  group: 'Batches:',
  describe: 'Bytes of documents that wait or are in flight at most',
  default: 8 * 1024 * 1024,
  min: 1,
  max: 1024 ** 3,
} as const;
const requestTimeout = {
  type: 'number',
  group: 'Batches:',
  describe: 'Seconds after which a request counts as failed',
  default: 60,
} as const;

const onError = {
  type: 'string',
  group: 'Errors:',
  describe: 'What to do with a change that the target refuses for good, or a record that cannot be decoded',
  choices: ON_ERROR,
  default: 'dead-letter',
} as const;
const retryFor = {
  type: 'number',
  group: 'Errors:',
  describe: 'Seconds to try again while the target takes nothing, before giving up; 0 is for ever',
  default: 0,
  min: 0,
} as const;

const sessionTimeout = {
  type: 'number',
  group: 'Kafka:',
  describe: 'Seconds without a sign of life after which the group gives the partitions to others',
  default: 10,
  min: 6,
  max: 1800,
} as const;
export const kafkaOptions = { ...connectionOptions, prefix } as const;
export const targetOptions = { target, targetUrl, name, autoCommitInterval, targetOption } as const;
export const namespaceOptions = { include, exclude, rename } as const;
export const batchOptions = { batchSize, batchBytes, inFlight, bufferBytes, requestTimeout } as const;
export const errorOptions = { onError, retryFor } as const;
export const processOptions = { sessionTimeout, ...statusOptions } as const;
