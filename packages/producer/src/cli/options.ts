// The options that the producer's commands share, each described once for the command line, the environment and the file.

import { kafkaOptions } from '@tailwater/runtime';
import { SOURCE_KINDS } from '../source/mongo/connect.js';

const mongo = {
  type: 'string',
  group: 'Source:',
  describe: 'Connection string of the replica set, https://www.mongodb.com/docs/manual/reference/connection-string/',
  required: true,
  secret: true,
} as const;

const source = {
  type: 'string',
  group: 'Source:',
  describe: 'What is read for changes; a change stream needs no access to the database local, and works through a mongos',
  choices: SOURCE_KINDS,
  default: 'oplog',
} as const;

const prefix = {
  type: 'string',
  group: 'Kafka:',
  describe: 'What all topics begin with; one pipeline, one prefix',
  default: 'tailwater',
} as const;

const include = {
  type: 'list',
  group: 'Namespaces:',
  describe: 'Namespaces to publish, db.collection with * as wildcard; all but system ones when none is named',
  default: [] as string[],
} as const;
const exclude = {
  type: 'list',
  group: 'Namespaces:',
  describe: 'Namespaces to leave out; beats --include',
  default: [] as string[],
} as const;

export const sourceOptions = { mongo, source, ...kafkaOptions, prefix } as const;
/** For commands that need no MongoDB. */
export const kafkaSourceOptions = { ...kafkaOptions, prefix } as const;
export const namespaceOptions = { include, exclude } as const;
