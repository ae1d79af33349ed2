// Namespaces as the checkpoints spell them, by the rules of those that are read.
import type { CompiledNamespaceRules } from '@tailwater/runtime';
import { parseNamespace } from '@tailwater/schema';

export const includesName =
  (rules: CompiledNamespaceRules) =>
  (name: string): boolean => {
    const namespace = parseNamespace(name);
    return namespace !== undefined && rules.includes(namespace.database, namespace.collection);
  };
