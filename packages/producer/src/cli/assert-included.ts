// A namespace that an option names must be one that the producer publishes.
import { errorCodes, type NamespaceRules, parseNamespacePattern, TailwaterError } from '@tailwater/runtime';
import { type Namespace, parseNamespace } from '@tailwater/schema';

/** @throws TailwaterError TW1140 for text that is no namespace, TW1147 for one that is not included */
export function assertIncluded(rules: NamespaceRules, text: string): Namespace {
  const namespace = parseNamespace(text);
  if (namespace === undefined) throw new TailwaterError(errorCodes.NOT_A_NAMESPACE, { text });
  if (!rules.includes(namespace.database, namespace.collection))
    throw new TailwaterError(errorCodes.NAMESPACE_NOT_INCLUDED, { namespace: text });
  return namespace;
}

/** @throws TailwaterError TW1170 for a GridFS bucket whose files something excludes */
export function assertPublished(rules: NamespaceRules, bucket: string): void {
  const { database, collection } = parseNamespace(`${bucket}.files`) as Namespace;
  if (!rules.includes(database, collection)) throw new TailwaterError(errorCodes.GRIDFS_BUCKET_EXCLUDED, { bucket });
}

/**
 * What is not named is left out without a word; what is named and cannot be read is reported.
 *
 * @throws TailwaterError TW1253 for the databases local and config, TW1254 for admin where a change stream is read
 */
export function assertReadable(include: readonly string[], source: 'oplog' | 'change-stream'): void {
  for (const pattern of include) {
    const [database, ...more] = parseNamespacePattern(pattern, 'include').database;
    if (more.length > 0) continue;
    if (database === 'local' || database === 'config') throw new TailwaterError(errorCodes.DATABASE_NOT_REPLICATED, { pattern, database });
    if (database === 'admin' && source === 'change-stream') throw new TailwaterError(errorCodes.DATABASE_NOT_WATCHABLE, { pattern });
  }
}
