// A topic as the copy of a collection that it is meant to be (promise C).
import {
  type ChangeEvent,
  type ControlRecord,
  decodeChangeEvent,
  decodeControlRecord,
  isControlKey,
  parseTombstone,
  type Tombstone,
} from '@tailwater/schema';
import { readTopic, type TopicRecord } from '#test/support/read-topic.js';

export interface FoldedTopic {
  readonly records: readonly TopicRecord[];
  /** The last document of each key that was not deleted. */
  readonly documents: ReadonlyMap<string, Buffer>;
  readonly events: readonly (ChangeEvent & { readonly key: string })[];
  readonly tombstones: readonly (Tombstone & { readonly key: string })[];
  /** What the producer told the readers, with the partition it told it in. */
  readonly controls: readonly (ControlRecord & { readonly partition: number })[];
}

/** @throws Error when the records of a key are not in one partition, or not in the order of their versions (promise B) */
export async function foldTopic(brokers: readonly string[], topic: string): Promise<FoldedTopic> {
  const all = await readTopic(brokers, topic);
  const records = all.filter(({ key }) => !isControlKey(key));
  const controls = all
    .filter(({ key }) => isControlKey(key))
    .map(({ value, partition }) => ({ ...(decodeControlRecord(value as Buffer) as ControlRecord), partition }));
  const documents = new Map<string, Buffer>();
  const events: (ChangeEvent & { key: string })[] = [];
  const tombstones: (Tombstone & { key: string })[] = [];
  const seen = new Map<string, { partition: number; version: bigint }>();
  for (const record of records) {
    const key = String(record.key);
    const event = record.value === null ? undefined : decodeChangeEvent(record.value);
    const change = event ?? parseTombstone(record.headers);
    if (change === undefined) throw new Error(`The tombstone of ${key} at ${record.partition}/${record.offset} has no headers`);
    const { version } = change.position;
    const before = seen.get(key);
    if (before !== undefined && (before.partition !== record.partition || before.version > version)) {
      throw new Error(
        `${key} is out of order at ${record.partition}/${record.offset}: ${version} behind ${before.version} in ${before.partition}`,
      );
    }
    seen.set(key, { partition: record.partition, version });
    if (event !== undefined) {
      documents.set(key, event.document);
      events.push({ ...event, key });
    } else {
      documents.delete(key);
      tombstones.push({ ...change, key });
    }
  }
  return { records, documents, events, tombstones, controls };
}
