// Reads topics once, to where they end now, beside whoever else reads them.
import { CommittedReader, type KafkaClient, type PartitionEnds, partitionEnds, TailwaterError, toKafkaError } from '@tailwater/runtime';
import { type FetchedRecord, type PartitionOffset, partitionName, type TopicPartition } from './subscription.js';

/** Without anything new for so long, in milliseconds, reading has failed: a transaction left open ends sooner. */
const STALL_MS = 90_000;
/** How long a broker that is away is looked for. */
const PATIENCE_MS = 30_000;

export interface ReadOptions {
  readonly topics: readonly string[];
  /** Where to begin; partitions that are not mentioned are left out. When not given, everything is read from its beginning. */
  readonly from?: readonly PartitionOffset[];
  readonly signal: AbortSignal;
}

/** Offsets of a partition: from `begin` up to, and without, `end`. */
export interface Range extends TopicPartition {
  readonly begin: number;
  readonly end: number;
}

/** What one fetch brought, in order: no more than a few megabytes, or one larger batch. */
export interface Slice extends TopicPartition {
  readonly records: readonly FetchedRecord[];
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

/**
 * Yields the committed records of the ranges, one range after the other. Nothing is fetched while the caller is at work.
 *
 * @throws TailwaterError TW1352 when nothing comes for a minute and a half, TW12xx when Kafka refuses
 */
export async function* readRanges(kafka: KafkaClient, ranges: readonly Range[], signal: AbortSignal): AsyncGenerator<Slice> {
  const left = ranges.filter(({ begin, end }) => begin < end);
  if (left.length === 0) return;
  await using reader = await CommittedReader.open(kafka);
  for (const range of left) yield* readRange(reader, range, signal);
}

async function* readRange(reader: CommittedReader, { begin, end, ...place }: Range, signal: AbortSignal): AsyncGenerator<Slice> {
  let next = BigInt(begin);
  let movedAtMs = performance.now();
  for await (const fetched of reader.read({ ...place, from: next, patienceMs: PATIENCE_MS, signal })) {
    const isLast = fetched.next >= end;
    const records = isLast ? fetched.records.filter(({ offset }) => Number(offset) < end) : fetched.records;
    const moved = fetched.next > next;
    if (!moved && performance.now() - movedAtMs > STALL_MS) {
      throw new TailwaterError('TW1352', { topics: place.topic, seconds: STALL_MS / 1000 });
    }
    next = fetched.next;
    if (records.length > 0) yield { ...place, records };
    if (isLast) return;
    if (moved) movedAtMs = performance.now();
  }
}
