// Reads topics once, to where they end now, beside whoever else reads them.
import { type KafkaClient, type PartitionEnds, partitionEnds, readCommitted, TailwaterError, toKafkaError } from '@tailwater/runtime';
import type { FetchedRecord, PartitionOffset, TopicPartition } from './subscription.js';

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

/**
 * Calls `take` with each committed record, in order within its partition. A topic that does not exist is an empty one.
 *
 * @returns the ends of all partitions of the topics as they were before
 * @throws TailwaterError TW1352 when nothing comes for a minute and a half, TW12xx when Kafka refuses
 */
export async function readToEnd(
  kafka: KafkaClient,
  options: ReadOptions,
  take: (record: FetchedRecord, place: TopicPartition) => void,
): Promise<readonly PartitionEnds[]> {
  const ends = await allEnds(kafka, options.topics);
  const wanted = options.from === undefined ? undefined : new Map(options.from.map((each) => [nameOf(each), each.offset]));
  for (const { low, high, ...place } of ends) {
    const begin = Math.max(low, wanted === undefined ? low : (wanted.get(nameOf(place)) ?? high));
    if (begin < high) await readPartition(kafka, { ...place, begin, end: high, signal: options.signal }, take);
  }
  return ends;
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

async function allEnds(kafka: KafkaClient, topics: readonly string[]): Promise<PartitionEnds[]> {
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

interface Range extends TopicPartition {
  readonly begin: number;
  readonly end: number;
  readonly signal: AbortSignal;
}

async function readPartition(
  kafka: KafkaClient,
  { begin, end, signal, ...place }: Range,
  take: (record: FetchedRecord, place: TopicPartition) => void,
): Promise<void> {
  let next = BigInt(begin);
  let movedAtMs = performance.now();
  for await (const fetched of readCommitted(kafka, { ...place, from: next, patienceMs: PATIENCE_MS, signal })) {
    for (const record of fetched.records) if (Number(record.offset) < end) take(record, place);
    if (fetched.next >= end) return;
    if (fetched.next > next) movedAtMs = performance.now();
    next = fetched.next;
    if (performance.now() - movedAtMs > STALL_MS) throw new TailwaterError('TW1352', { topics: place.topic, seconds: STALL_MS / 1000 });
  }
}
