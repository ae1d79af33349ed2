// What a start tells of the namespaces that it is to read: nothing that ends it, and all that an operator must look at (promise H).
import { type CompiledNamespaceRules, errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import type { MongoSource } from '../../source/mongo/connect.js';
import { withoutDocuments } from '../../source/mongo/namespace-kinds.js';
import { listCapped, listCollections } from './collections.js';

/** The first version whose oplog has the deletes at the end of capped collections. */
const WRITES_CAPPED_DELETES = 5;

export async function warnAboutNamespaces(
  { client, version }: Pick<MongoSource, 'client' | 'version'>,
  rules: CompiledNamespaceRules,
  include: readonly string[],
  logger: Logger,
): Promise<void> {
  const collections = await listCollections(client, rules);
  if (collections.length === 0) {
    const patterns = include.length === 0 ? 'all namespaces' : include.join(', ');
    logger.warn(
      { include: patterns },
      'No collection matches the included namespaces yet; it is published as soon as one does. Check the patterns for typos if that is unexpected',
    );
  }
  for (const { namespace, kind } of await withoutDocuments(client, rules.plain)) {
    warn(
      logger,
      { namespace, kind },
      new TailwaterError(errorCodes.NOT_A_COLLECTION, { namespace, kind: kind === 'view' ? 'view' : 'time series collection' }),
    );
  }
  if (Number.parseInt(version, 10) >= WRITES_CAPPED_DELETES) return;
  const capped = await listCapped(client, collections);
  if (capped.length > 0)
    warn(logger, { capped }, new TailwaterError(errorCodes.CAPPED_COLLECTIONS_WITHOUT_DELETES, { version, namespaces: capped.join(', ') }));
}

const warn = (logger: Logger, about: object, { code, message, hint }: TailwaterError): void =>
  logger.warn({ ...about, code }, `${message}. ${hint}`);
