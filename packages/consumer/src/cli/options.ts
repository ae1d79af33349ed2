// The options that the consumer's commands share. What each is, says the schema of the configuration file.
import { configOptions, kafkaOptions as connectionOptions, option, statusOptions, text } from '@tailwater/runtime';

const { prefix, sessionTimeout, shutdownTimeout, target, targetUrl, autoCommitInterval, targetOption } = configOptions;
const { batchSize, batchBytes, inFlight, bufferBytes, requestTimeout, onError, retryFor, refusalLimit } = configOptions;

/** In the file it is the key of a target. */
const name = option(text().optional(), {
  group: 'Target',
  describe: 'Name of this target, also in the configuration file; the consumer group is <prefix>.<name>. Default: the type of the target',
});

export const kafkaOptions = { ...connectionOptions, prefix } as const;
export const targetOptions = { target, targetUrl, name, autoCommitInterval, targetOption } as const;
export const batchOptions = { batchSize, batchBytes, inFlight, bufferBytes, requestTimeout } as const;
export const errorOptions = { onError, retryFor, refusalLimit } as const;
export const processOptions = { sessionTimeout, shutdownTimeout, ...statusOptions } as const;
