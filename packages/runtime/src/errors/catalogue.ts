// Every error that a user can meet, by its code: stable, documented in docs/errors.md (made from here), one file per area.
import { configurationErrors } from './catalogue/configuration.js';
import { consumerErrors } from './catalogue/consumer.js';
import { decodingErrors } from './catalogue/decoding.js';
import { kafkaErrors } from './catalogue/kafka.js';
import { leadErrors } from './catalogue/lead.js';
import { loggingErrors } from './catalogue/logging.js';
import { mongoConnectorErrors } from './catalogue/mongo-connector.js';
import { mongodbErrors } from './catalogue/mongodb.js';
import { processErrors } from './catalogue/process.js';
import { registryErrors } from './catalogue/registry.js';
import { targetErrors } from './catalogue/targets.js';
import { transformErrors } from './catalogue/transforms.js';
import type { ErrorEntry } from './error-entry.js';

const byName = {
  ...configurationErrors,
  ...loggingErrors,
  ...mongoConnectorErrors,
  ...mongodbErrors,
  ...leadErrors,
  ...kafkaErrors,
  ...targetErrors,
  ...consumerErrors,
  ...transformErrors,
  ...processErrors,
  ...decodingErrors,
  ...registryErrors,
} as const;

type ByName = typeof byName;

export type ErrorCode = ByName[keyof ByName]['code'];

/** The codes by the names that the code uses for them: `errorCodes.KAFKA_UNREACHABLE` is `TW1201`. */
export const errorCodes = Object.fromEntries(Object.entries(byName).map(([name, { code }]) => [name, code])) as {
  readonly [Name in keyof ByName]: ByName[Name]['code'];
};

export const errorCatalogue = Object.fromEntries(Object.values(byName).map((entry) => [entry.code, entry])) as unknown as Readonly<
  Record<ErrorCode, ErrorEntry>
>;
