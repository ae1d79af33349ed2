// A namespace that an option names must be one that the producer publishes.
import { type NamespaceRules, TailwaterError } from '@tailwater/runtime';
import { type Namespace, parseNamespace } from '@tailwater/schema';

/** @throws TailwaterError TW1140 for text that is no namespace, TW1147 for one that is not included */
export function expectIncluded(rules: NamespaceRules, text: string): Namespace {
  const namespace = parseNamespace(text);
  if (namespace === undefined) throw new TailwaterError('TW1140', { text });
  if (!rules.includes(namespace.database, namespace.collection)) throw new TailwaterError('TW1147', { namespace: text });
  return namespace;
}

/** @throws TailwaterError TW1170 for a GridFS bucket whose files something excludes */
export function expectPublished(rules: NamespaceRules, bucket: string): void {
  const { database, collection } = parseNamespace(`${bucket}.files`) as Namespace;
  if (!rules.includes(database, collection)) throw new TailwaterError('TW1170', { bucket });
}
