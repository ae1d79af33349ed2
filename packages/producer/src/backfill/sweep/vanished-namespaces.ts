// Which topics of the prefix are this source's, and which of them have no collection any more: what became of those while no
// producer looked is swept.

import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { Checkpoint } from '../../checkpoint/checkpoint-record.js';

type Known = Pick<Checkpoint, 'snapshots' | 'sweeps' | 'isShared'>;

/**
 * Of the included namespaces with a topic, those that this source has written to. Where other sources publish under the same
 * prefix a topic may be theirs: then only those count whose collection is here, or that this source's own checkpoint knows.
 */
export function ownTopics(
  published: readonly TrackedNamespace[],
  collections: readonly TrackedNamespace[],
  { isShared, snapshots, sweeps }: Known,
): TrackedNamespace[] {
  const existing = new Set(collections);
  return published.filter(
    (namespace) =>
      namespace.included && (!isShared || existing.has(namespace) || snapshots.has(namespace.name) || sweeps.has(namespace.name)),
  );
}

/** Of these, those whose collection is gone, and whose topic no sweep has emptied or is about to. */
export function vanishedNamespaces(
  published: readonly TrackedNamespace[],
  collections: readonly TrackedNamespace[],
  checkpoint: Known,
): TrackedNamespace[] {
  const existing = new Set(collections);
  return ownTopics(published, collections, checkpoint).filter(
    (namespace) => !existing.has(namespace) && !checkpoint.sweeps.has(namespace.name),
  );
}
