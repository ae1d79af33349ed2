// Into how many partitions the keys of a topic were divided, by where they are: what the checkpoint would say, had it not been deleted. Partitions that were
// added later are empty (docs/adr/0025-partitions-are-recorded.md).
import { type KafkaClient, partitionEnds, readRanges, toKafkaError } from '@tailwater/runtime';
import { isControlKey, partitionOf } from '@tailwater/schema';

/** Offsets of each partition that are looked at: of so many keys no other number fits by chance. */
const SAMPLE = 500;

/** Undefined where the topic's own number says it: nothing is empty behind what is filled, or nothing is filled, or no number fits. */
export async function usedPartitions(kafka: KafkaClient, topic: string, signal: AbortSignal): Promise<number | undefined> {
  const ends = await endsOf(kafka, topic);
  const filled = ends.filter(({ high }) => high > 0).map(({ partition }) => partition);
  if (filled.length === 0 || filled.includes(ends.length - 1)) return undefined;
  const seen: { readonly key: Buffer; readonly partition: number }[] = [];
  const ranges = ends.map(({ partition, low, high }) => ({ topic, partition, begin: low, end: Math.min(high, low + SAMPLE) }));
  for await (const { partition, records } of readRanges(kafka, ranges, signal)) {
    for (const { key } of records) if (key !== null && !isControlKey(key)) seen.push({ key, partition });
  }
  for (let used = ends.length; used > Math.max(...filled); used -= 1) {
    if (seen.every(({ key, partition }) => partitionOf(key, used) === partition)) return used === ends.length ? undefined : used;
  }
  return undefined;
}

async function endsOf(kafka: KafkaClient, topic: string) {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await partitionEnds(admin, [topic]);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
