// Reads what partitions hold between two offsets, once, beside other readers.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { KafkaClient } from './create-kafka.js';
import type { CommittedRecords } from './fetch-committed.js';
import { CommittedReader } from './read-committed.js';

/** Without anything new for so long, in milliseconds, reading has failed: a transaction left open ends sooner. */
const STALL_MS = 90_000;
/** How long a broker that is away is looked for. */
const PATIENCE_MS = 30_000;

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** Offsets of a partition: from `begin` up to, and without, `end`. */
export interface OffsetRange extends Place {
  readonly begin: number;
  readonly end: number;
}

/** What one fetch brought, in order: no more than a few megabytes, or one larger batch. */
interface Slice extends Place {
  readonly records: CommittedRecords['records'];
}

/**
 * Yields the committed records of the ranges, one range after the other. Nothing is fetched while the caller is at work.
 *
 * @throws TailwaterError TW1352 when nothing comes for a minute and a half, TW12xx when Kafka refuses; the signal's reason once it aborts
 */
export async function* readRanges(kafka: KafkaClient, ranges: readonly OffsetRange[], signal: AbortSignal): AsyncGenerator<Slice> {
  const left = ranges.filter(({ begin, end }) => begin < end);
  if (left.length === 0) return;
  await using reader = await CommittedReader.open(kafka);
  for (const range of left) yield* readRange(reader, range, signal);
}

async function* readRange(reader: CommittedReader, { begin, end, ...place }: OffsetRange, signal: AbortSignal): AsyncGenerator<Slice> {
  let next = BigInt(begin);
  let movedAtMs = performance.now();
  for await (const fetched of reader.read({ ...place, from: next, patienceMs: PATIENCE_MS, signal })) {
    const isLast = fetched.next >= end;
    const records = isLast ? fetched.records.filter(({ offset }) => Number(offset) < end) : fetched.records;
    const moved = fetched.next > next;
    if (!moved && performance.now() - movedAtMs > STALL_MS) {
      throw new TailwaterError(errorCodes.TOPIC_NOT_READ_TO_ITS_END, { topics: place.topic, seconds: STALL_MS / 1000 });
    }
    next = fetched.next;
    if (records.length > 0) yield { ...place, records };
    if (isLast) return;
    if (moved) movedAtMs = performance.now();
  }
}
