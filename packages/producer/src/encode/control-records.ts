// What the readers of a topic are told besides changes: a record for each of its partitions.
import { controlKey, encodeControlRecord, Position } from '@tailwater/schema';
import type { CollectionCommand } from '../changes/change-batch.js';
import type { OutgoingRecord, TopicLayout, TopicRecords } from './record-encoder.js';

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
