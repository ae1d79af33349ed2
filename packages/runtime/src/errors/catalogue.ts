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

export const errorCatalogue = {
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

export type ErrorCode = keyof typeof errorCatalogue;
