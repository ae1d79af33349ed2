// What a session begins with: which collections are copied, from where each goes on, and which begin anew.

import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { Checkpoint, CheckpointMessage } from '../../checkpoint/checkpoint-record.js';
import type { LostTopics } from '../../publish/topic-losses.js';
import type { SnapshotPlan } from './snapshot-plan.js';
import type { Snapshotter } from './snapshotter.js';

export interface StartSnapshots {
  readonly plan: SnapshotPlan;
  readonly snapshotter: Snapshotter;
  readonly checkpoint: Checkpoint;
  /** The included collections that exist. */
  readonly collections: readonly TrackedNamespace[];
  /** Whose topics are lost: those without one, and those whose name another topic has, whether or not the collection exists. */
  readonly lost: LostTopics;
  /** What is to be forgotten of namespaces that are not included any more. */
  readonly leftOut: readonly CheckpointMessage[];
  /** Adopts a sweep of a topic that may hold anything, and returns the record that makes it last. */
  readonly sweep: (namespace: TrackedNamespace) => CheckpointMessage;
  /** Looks at the topics of these, and makes those that do not exist. */
  readonly ensureTopics: (namespaces: readonly TrackedNamespace[]) => Promise<void>;
  /** Is told for which topics are made while others are copied. */
  readonly expectTopics: (namespaces: readonly TrackedNamespace[]) => void;
  /** Puts records into the checkpoint, and resolves when they are there. */
  readonly writeCheckpoint: (records: CheckpointMessage[]) => Promise<unknown>;
}

export async function startSnapshots(start: StartSnapshots): Promise<void> {
  const { plan, snapshotter, checkpoint, collections, lost, leftOut, sweep, ensureTopics, expectTopics, writeCheckpoint } = start;
  const requested = plan.requested(collections, checkpoint);
  const anew = new Set(plan.anew(collections));
  const records = [...anew].map((namespace) => snapshotter.restart(namespace, false));
  // A deleted topic takes its copy of the collection with it, whatever the checkpoint says (promise C). The first record
  // of the tail makes the topic again, and a start behind that could not tell: so it is noted before there is any.
  for (const namespace of [...lost.gone, ...lost.replaced]) {
    const known = checkpoint.snapshots.get(namespace.name);
    if (known === undefined || anew.has(namespace)) continue;
    const isWanted = requested.includes(namespace);
    records.push(isWanted ? snapshotter.restart(namespace, known.isAsked === true) : snapshotter.discard(namespace));
  }
  records.push(...lost.replaced.map(sweep), ...leftOut);
  if (records.length > 0) await writeCheckpoint(records);
  plan.started();
  const withTopic = collections.filter((namespace) => !lost.gone.includes(namespace));
  await ensureTopics(withTopic);
  expectTopics(requested.filter((namespace) => lost.gone.includes(namespace)));
  for (const namespace of requested) snapshotter.request(namespace);
}
