// The producer's side of a schema registry, before anything is published.
import {
  errorCodes,
  type Logger,
  type NamespaceRules,
  type OptionValues,
  type registryOptions,
  type SchemaRegistry,
  schemaRegistryOf,
  TailwaterError,
} from '@tailwater/runtime';
import { type Namespace, parseNamespace, topicName } from '@tailwater/schema';
import { listCollections } from '../backfill/snapshot/collections.js';
import type { ValueFormat } from '../encode/record-encoder.js';
import { SubjectIds } from '../publish/subject-ids.js';
import type { MongoSource } from '../source/mongo/connect.js';

/** @throws TailwaterError TW1015 for JSON, which has no schema to register, and as `schemaRegistryOf` */
export function registryFor(
  given: OptionValues<typeof registryOptions> & { readonly valueFormat: ValueFormat },
): SchemaRegistry | undefined {
  if (given.schemaRegistry !== undefined && given.valueFormat === 'json') {
    const reason = 'JSON values are read without a schema';
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, { first: '--schema-registry', second: '--value-format json', reason });
  }
  return schemaRegistryOf(given);
}

/**
 * Registers the schema of change events for every collection that there is, so that one that is refused is noticed before
 * anything is published. A collection that comes later is registered before its first record.
 *
 * @throws TailwaterError TW1560 to TW1563
 */
export async function registerSubjects(
  registry: SchemaRegistry,
  source: MongoSource,
  rules: NamespaceRules,
  prefix: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<SubjectIds> {
  await registry.check(signal);
  const subjects = new SubjectIds(registry);
  const collections = await listCollections(source.client, rules);
  for (const name of collections) await subjects.headerOf(topicName(prefix, parseNamespace(name) as Namespace));
  logger.info({ registry: registry.address, subjects: collections.length }, 'The schema registry accepts the schema of change events');
  return subjects;
}
