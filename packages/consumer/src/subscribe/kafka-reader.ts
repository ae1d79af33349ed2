// Reads topics once, to where they end now, beside whoever else reads them.
import { randomUUID } from 'node:crypto';
import { type KafkaClient, sleep, TailwaterError, toKafkaError } from '@tailwater/runtime';
import type { Admin, Consumer } from 'kafkajs';
import type { FetchedRecord, PartitionOffset, TopicPartition } from './subscription.js';

/** Without anything new for so long, in milliseconds, reading has failed: a transaction left open ends sooner. */
const STALL_MS = 90_000;
const POLL_MS = 20;

export interface ReadOptions {
  /** Kafka has readers in groups only: this one's is named after it, and is removed. */
  readonly groupPrefix: string;
  readonly topics: readonly string[];
  /** Where to begin; partitions that are not mentioned are left out. When not given, everything is read from its beginning. */
  readonly from?: readonly PartitionOffset[];
  readonly signal: AbortSignal;
}

/** The offsets between which a partition has records. */
export interface PartitionEnds extends TopicPartition {
  readonly low: number;
  readonly high: number;
}

/** The ends of all partitions of these topics, of those that exist. */
export async function partitionEnds(admin: Admin, topics: readonly string[]): Promise<PartitionEnds[]> {
  const existing = new Set(await admin.listTopics());
  const ends = topics
    .filter((topic) => existing.has(topic))
    .map(async (topic) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, low, high }) => ({ topic, partition, low: Number(low), high: Number(high) }));
    });
  return (await Promise.all(ends)).flat();
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
  const groupId = `${options.groupPrefix}.reader-${randomUUID()}`;
  const admin = kafka.admin();
  try {
    await admin.connect();
    const ends = await partitionEnds(admin, options.topics);
    const ranges = new Ranges(ends, options.from);
    if (ranges.isEmpty) return ends;
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, sessionTimeout: 10_000, allowAutoTopicCreation: false });
    try {
      await read(consumer, ranges, take, options.signal);
      return ends;
    } finally {
      await consumer.disconnect().catch(() => undefined);
      // An empty group costs nothing and expires: not worth a failed command.
      await admin.deleteGroups([groupId]).catch(() => undefined);
    }
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

interface Range {
  readonly from: number;
  readonly end: number;
}

/** What is still to be read. */
class Ranges {
  readonly topics: ReadonlySet<string>;
  readonly #left = new Map<string, Range>();

  constructor(ends: readonly PartitionEnds[], from: readonly PartitionOffset[] | undefined) {
    const wanted = from === undefined ? undefined : new Map(from.map((each) => [nameOf(each), each.offset]));
    for (const { low, high, ...place } of ends) {
      const begin = Math.max(low, wanted === undefined ? low : (wanted.get(nameOf(place)) ?? high));
      if (begin < high) this.#left.set(nameOf(place), { from: begin, end: high });
    }
    this.topics = new Set(ends.filter((place) => this.#left.has(nameOf(place))).map(({ topic }) => topic));
  }

  get isEmpty(): boolean {
    return this.#left.size === 0;
  }

  of(place: TopicPartition): Range | undefined {
    return this.#left.get(nameOf(place));
  }

  end(place: TopicPartition): void {
    this.#left.delete(nameOf(place));
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

async function read(
  consumer: Consumer,
  ranges: Ranges,
  take: (record: FetchedRecord, place: TopicPartition) => void,
  signal: AbortSignal,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  let aliveAtMs = performance.now();
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) failure = { error: payload.error };
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      for (const partition of partitions) {
        const range = ranges.of({ topic, partition });
        if (range === undefined) consumer.pause([{ topic, partitions: [partition] }]);
        else consumer.seek({ topic, partition, offset: String(range.from) });
      }
    }
  });
  // A transaction's marker takes an offset too, so an end is reached by fetching past it, not by a record.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
    aliveAtMs = performance.now();
    const range = ranges.of({ topic, partition });
    if (range === undefined || Number(lastOffset) + 1 < range.end) return;
    ranges.end({ topic, partition });
    consumer.pause([{ topic, partitions: [partition] }]);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...ranges.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const range = ranges.of(batch);
      if (range === undefined) return;
      for (const message of batch.messages) {
        const offset = Number(message.offset);
        if (offset < range.from || offset >= range.end) continue;
        try {
          take(message, batch);
        } catch (error) {
          failure ??= { error };
        }
      }
    },
  });
  while (!ranges.isEmpty) {
    await sleep(POLL_MS, signal);
    signal.throwIfAborted();
    if (failure !== undefined) throw failure.error;
    if (performance.now() - aliveAtMs > STALL_MS) {
      throw new TailwaterError('TW1352', { topics: [...ranges.topics].join(', '), seconds: STALL_MS / 1000 });
    }
  }
  if (failure !== undefined) throw failure.error;
}
