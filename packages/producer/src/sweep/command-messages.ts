// What a command that changes which documents exist leaves in Kafka, in the transaction that passes it: checkpoints of
// snapshots and sweeps, so that no crash forgets what is to be done, and a control record for the readers of the topic.
import { controlKey, encodeControlRecord, Position } from '@tailwater/schema';
import {
  type CheckpointMessage,
  pendingSweep,
  type SnapshotProgress,
  type SweepReason,
  snapshotMessage,
  sweepMessage,
} from '../checkpoint/checkpoint-record.js';
import type { OutgoingRecord, TopicLayout, TopicRecords } from '../encode/record-encoder.js';
import type { CollectionCommand, TrackedNamespace } from '../normalize/change-batch.js';

/**
 * The included namespaces whose documents the command took away, and why they are swept. A rename also ends what was under the
 * new name, whether or not its entry says so: a sweep of a topic that holds nothing older finds nothing.
 */
export function sweptBy(command: CollectionCommand): { readonly namespaces: readonly TrackedNamespace[]; readonly reason: SweepReason } {
  const { kind, namespace, to } = command;
  if (kind === 'create') return { namespaces: [], reason: 'drop' };
  const namespaces = to === undefined ? [namespace] : [namespace, to];
  return { namespaces: namespaces.filter(({ included }) => included), reason: to === undefined ? 'drop' : 'rename' };
}

/** A collection created under the tail's eyes needs no snapshot; one that is gone has none, and what was published of it is swept. */
export function commandMessages(source: string, command: CollectionCommand): CheckpointMessage[] {
  if (command.kind === 'create') {
    const now = Date.now();
    const progress: SnapshotProgress = { state: 'done', ranges: [], documents: 0, total: 0, startedAtMs: now, finishedAtMs: now };
    return [snapshotMessage(source, command.namespace.name, progress)];
  }
  const messages = [snapshotMessage(source, command.namespace.name, null)];
  if (command.to !== undefined) messages.push(snapshotMessage(source, command.to.name, null));
  const { namespaces, reason } = sweptBy(command);
  for (const { name } of namespaces) messages.push(sweepMessage(source, name, pendingSweep(reason)));
  return messages;
}

/** Tells every partition of the topic that its collection was dropped, or moved away. */
export function dropRecords(source: string, command: CollectionCommand, layout: TopicLayout): TopicRecords {
  const { t, i, wallTimeMs, namespace, to } = command;
  const details = { namespace: namespace.name, renamedTo: to?.name ?? null };
  return toEveryPartition(layout, source, { kind: 'drop', position: new Position(t, i), wallTimeMs, details });
}

/** A control record for each partition of a topic. */
export function toEveryPartition(
  { topic, partitions }: TopicLayout,
  source: string,
  record: Parameters<typeof encodeControlRecord>[0],
): TopicRecords {
  const key = Buffer.from(controlKey(record.kind, source));
  const value = encodeControlRecord(record);
  const messages = Array.from({ length: partitions }, (_, partition): OutgoingRecord => ({ key, value, partition }));
  return { topic, messages };
}
