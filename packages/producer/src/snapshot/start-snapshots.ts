// What a session begins with: which collections are copied, from where each goes on, and which begin anew.
import type { Checkpoint, CheckpointMessage } from '../checkpoint/checkpoint-record.js';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import type { SnapshotPlan } from './snapshot-plan.js';
import type { Snapshotter } from './snapshotter.js';

export interface StartSnapshots {
  readonly plan: SnapshotPlan;
  readonly snapshotter: Snapshotter;
  readonly checkpoint: Checkpoint;
  /** The included collections that exist. */
  readonly collections: readonly TrackedNamespace[];
  /** Of these, those whose topic does not exist. */
  readonly withoutTopic: readonly TrackedNamespace[];
  /** Puts records into the checkpoint. */
  readonly note: (records: CheckpointMessage[]) => Promise<unknown>;
}

export async function startSnapshots(start: StartSnapshots): Promise<void> {
  const { plan, snapshotter, checkpoint, collections, withoutTopic, note } = start;
  // A topic that somebody deleted takes its copy of the collection with it, whatever the checkpoint says (promise C).
  for (const namespace of withoutTopic) snapshotter.forget(namespace);
  const anew = plan.anew(collections).map((namespace) => snapshotter.restart(namespace, false));
  if (anew.length > 0) await note(anew);
  plan.started();
  for (const namespace of plan.requested(collections, checkpoint)) snapshotter.request(namespace);
}
