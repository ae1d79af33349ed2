// Reads a topic from its beginning to where it ended when the scan began, committed records only: the copy that a sweep
// compares with the source.
import {
  errorCodes,
  type KafkaClient,
  type OffsetRange,
  partitionEnds,
  readRanges,
  TailwaterError,
  toKafkaError,
} from '@tailwater/runtime';

export interface ScannedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * Hands the records to `take`, those of a partition in their order; one call is awaited before the next.
 *
 * @param sized - told how many offsets there are, before the first record
 * @throws TailwaterError for Kafka's errors, and whatever `take` throws
 */
export async function scanTopic(
  kafka: KafkaClient,
  topic: string,
  sized: (offsets: number) => void,
  take: (records: readonly ScannedRecord[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const ranges = await rangesOf(kafka, topic);
  sized(ranges.reduce((offsets, { begin, end }) => offsets + end - begin, 0));
  for await (const { records } of readRanges(kafka, ranges, signal)) await take(records);
}

async function rangesOf(kafka: KafkaClient, topic: string): Promise<OffsetRange[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const ends = await partitionEnds(admin, [topic]);
    // A topic that no broker knows, yet or any more, is not an empty one: nothing would be swept.
    if (ends.length === 0) throw new TailwaterError(errorCodes.TOPIC_MISSING, { brokers: kafka.brokers, detail: `: ${topic}` });
    return ends.map(({ partition, low, high }) => ({ topic, partition, begin: low, end: high }));
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
