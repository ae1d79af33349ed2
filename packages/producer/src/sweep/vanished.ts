// Which namespaces have a topic and no collection any more: what became of them while no producer looked is swept.
import type { Checkpoint } from '../checkpoint/checkpoint-record.js';
import type { TrackedNamespace } from '../normalize/change-batch.js';

/**
 * Of the namespaces with a topic, those whose collection is gone and whose topic no sweep has emptied since. Where other sources
 * publish under the same prefix, a topic may be theirs: then only those count that this source's own checkpoint knows.
 */
export function vanished(
  published: readonly TrackedNamespace[],
  collections: readonly TrackedNamespace[],
  checkpoint: Pick<Checkpoint, 'snapshots' | 'sweeps' | 'isShared'>,
): TrackedNamespace[] {
  const existing = new Set(collections);
  return published.filter(
    (namespace) =>
      namespace.included &&
      !existing.has(namespace) &&
      !checkpoint.sweeps.has(namespace.name) &&
      (!checkpoint.isShared || checkpoint.snapshots.has(namespace.name)),
  );
}
