// Which letters are still about the newest state of their document: a retry never applies anything older than that.
import type { KafkaClient } from '@tailwater/runtime';
import { readToEnd } from '../subscribe/kafka-reader.js';
import type { FetchedRecord, TopicPartition } from '../subscribe/subscription.js';
import type { DeadLetter } from './dead-letter.js';

/**
 * `newest`: nothing came after the record. `superseded`: a later record of the same key, which the group has read or will, or the
 * record was compacted away because of one. `gone`: its partition does not exist any more.
 */
export type Standing = 'newest' | 'superseded' | 'gone';

/** Reads the letters' partitions from the oldest of them to where they end now. */
export async function standingOf(
  kafka: KafkaClient,
  letters: readonly DeadLetter[],
  options: { readonly signal: AbortSignal },
): Promise<(letter: DeadLetter) => Standing> {
  const from = new Map<string, TopicPartition & { offset: number }>();
  const wanted = new Set<string>();
  for (const { topic, partition, record } of letters) {
    const place = `${topic}/${partition}`;
    const offset = Math.min(Number(record.offset), from.get(place)?.offset ?? Number.POSITIVE_INFINITY);
    from.set(place, { topic, partition, offset });
    wanted.add(keyOf({ topic, partition }, record));
  }
  const newest = new Map<string, number>();
  const topics = [...new Set(letters.map(({ topic }) => topic))];
  const ends = await readToEnd(kafka, { ...options, topics, from: [...from.values()] }, (record, place) => {
    const key = keyOf(place, record);
    if (wanted.has(key)) newest.set(key, Number(record.offset));
  });
  const existing = new Set(ends.map(({ topic, partition }) => `${topic}/${partition}`));
  return (letter) => {
    if (!existing.has(`${letter.topic}/${letter.partition}`)) return 'gone';
    return newest.get(keyOf(letter, letter.record)) === Number(letter.record.offset) ? 'newest' : 'superseded';
  };
}

/** Records without a key are no document's: each stands for itself. */
function keyOf({ topic, partition }: TopicPartition, { key, offset }: FetchedRecord): string {
  return `${topic}/${partition}/${key === null ? `@${offset}` : `=${key.toString('latin1')}`}`;
}
