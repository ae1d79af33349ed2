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
  /** Makes the topics that do not exist, all together, and looks at the others. */
  readonly ensureTopics: (namespaces: readonly TrackedNamespace[]) => Promise<void>;
  /** Puts records into the checkpoint, and resolves when they are there. */
  readonly note: (records: CheckpointMessage[]) => Promise<unknown>;
}

export async function startSnapshots(start: StartSnapshots): Promise<void> {
  const { plan, snapshotter, checkpoint, collections, withoutTopic, ensureTopics, note } = start;
  const requested = plan.requested(collections, checkpoint);
  const anew = new Set(plan.anew(collections));
  const records = [...anew].map((namespace) => snapshotter.restart(namespace, false));
  // A topic that somebody deleted takes its copy of the collection with it, whatever the checkpoint says (promise C). The first record
  // of the tail makes the topic again, and a start behind that could not tell: so it is noted before there is any.
  for (const namespace of withoutTopic) {
    const known = checkpoint.snapshots.get(namespace.name);
    if (known === undefined || anew.has(namespace)) continue;
    const isWanted = requested.includes(namespace);
    records.push(isWanted ? snapshotter.restart(namespace, known.isAsked === true) : snapshotter.discard(namespace));
  }
  if (records.length > 0) await note(records);
  plan.started();
  const withTopic = collections.filter((namespace) => !withoutTopic.includes(namespace));
  await ensureTopics([...new Set([...withTopic, ...requested])]);
  for (const namespace of requested) snapshotter.request(namespace);
}
