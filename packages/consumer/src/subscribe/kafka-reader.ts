// Reads topics once, to where they end now, beside other readers.
import { type KafkaClient, type PartitionEnds, partitionEnds, readRanges, toKafkaError } from '@tailwater/runtime';
import { type FetchedRecord, type PartitionOffset, partitionName, type TopicPartition } from './subscription.js';

export interface ReadOptions {
  readonly topics: readonly string[];
  /** Where to begin; partitions that are not mentioned are left out. When not given, everything is read from its beginning. */
  readonly from?: readonly PartitionOffset[];
  readonly signal: AbortSignal;
}

/**
 * Calls `take` with each committed record, in order within its partition, and waits where it gives a promise. A topic that does not exist is an empty one.
 *
 * @returns the ends of all partitions of the topics as they were before
 * @throws TailwaterError TW1352 when nothing comes for a minute and a half, TW12xx when Kafka refuses
 */
export async function readToEnd(
  kafka: KafkaClient,
  options: ReadOptions,
  take: (record: FetchedRecord, place: TopicPartition) => unknown,
): Promise<readonly PartitionEnds[]> {
  const ends = await endsOf(kafka, options.topics);
  const wanted = options.from === undefined ? undefined : new Map(options.from.map((each) => [partitionName(each), each.offset]));
  const ranges = ends.map(({ low, high, ...place }) => {
    return { ...place, begin: Math.max(low, wanted === undefined ? low : (wanted.get(partitionName(place)) ?? high)), end: high };
  });
  for await (const { records, ...place } of readRanges(kafka, ranges, options.signal)) {
    for (const record of records) {
      const taking = take(record, place);
      if (taking instanceof Promise) await taking;
    }
  }
  return ends;
}

/** @throws TailwaterError TW12xx when Kafka refuses */
async function endsOf(kafka: KafkaClient, topics: readonly string[]): Promise<PartitionEnds[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await partitionEnds(admin, topics);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
