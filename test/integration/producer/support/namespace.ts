// A namespace as the pipeline's table would give it.
import { parseNamespace } from '@tailwater/schema';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';

export function namespaceOf(name: string): TrackedNamespace {
  const namespace = parseNamespace(name);
  if (namespace === undefined) throw new TypeError(`${name} is no namespace`);
  return { name, ...namespace, included: true };
}
