// The options that the producer's commands share. What each is, says the schema of the configuration file.
import { kafkaOptions, leaves } from '@tailwater/runtime';

const { mongo, source, prefix, include, exclude, gridfs } = leaves;

/** For commands that need no MongoDB. */
export const kafkaSourceOptions = { ...kafkaOptions, prefix } as const;
export const sourceOptions = { mongo, source, ...kafkaSourceOptions } as const;
export const namespaceOptions = { include, exclude, gridfs } as const;
