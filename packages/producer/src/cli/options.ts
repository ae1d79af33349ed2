// The options that the producer's commands share. What each is, says the schema of the configuration file.
import { configOptions, kafkaOptions, type MongoAccess, mongoAccess, type OptionValues, readTlsFiles, userOf } from '@tailwater/runtime';

const { mongo, source, prefix, include, exclude, gridfs } = configOptions;
const { mongoUser, mongoPassword, mongoTlsCa, mongoTlsCert, mongoTlsKey, mongoTlsKeyPassword } = configOptions;

const access = { mongoUser, mongoPassword, mongoTlsCa, mongoTlsCert, mongoTlsKey, mongoTlsKeyPassword } as const;

/** For commands that need no MongoDB. */
export const kafkaSourceOptions = { ...kafkaOptions, prefix } as const;
export const sourceOptions = { mongo, ...access, source, ...kafkaSourceOptions } as const;
export const namespaceOptions = { include, exclude, gridfs } as const;

/** @throws TailwaterError TW1007 for half of a pair, TW1017 and TW1040 to TW1043 for files that are not usable */
export function sourceAccess(given: OptionValues<typeof access>): MongoAccess {
  const files = { ca: given.mongoTlsCa, cert: given.mongoTlsCert, key: given.mongoTlsKey, keyPassword: given.mongoTlsKeyPassword };
  return mongoAccess(userOf('mongo', given.mongoUser, given.mongoPassword), readTlsFiles({ flag: '--mongo-tls', ...files }));
}
