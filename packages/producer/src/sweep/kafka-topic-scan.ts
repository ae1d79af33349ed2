// Reads a topic from its beginning to where it ended when the scan began, committed records only: the copy that a sweep
// compares with the source. A group of its own, which commits nothing.
import { randomUUID } from 'node:crypto';
import { type KafkaClient, toKafkaError } from '@tailwater/runtime';
import type { Batch, Consumer } from 'kafkajs';
import { forgetGroup } from './kafka-forget-group.js';

const SESSION_TIMEOUT_MS = 30_000;
/** Whoever takes the records may wait for the source meanwhile: the broker hears of us in between, in milliseconds. */
const HEARTBEAT_MS = 3000;

export interface ScannedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * Hands the records to `take`, those of a partition in their order; one call is awaited before the next.
 *
 * @param group - what the name of the reader's group begins with
 * @param sized - told how many offsets there are, before the first record
 * @throws TailwaterError for Kafka's errors, and whatever `take` throws
 */
export async function scanTopic(
  kafka: KafkaClient,
  { topic, group }: { readonly topic: string; readonly group: string },
  sized: (offsets: number) => void,
  take: (records: readonly ScannedRecord[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const ends = await endsOf(kafka, topic, sized);
  if (ends.size === 0) return;
  const groupId = `${group}.reader-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    sessionTimeout: SESSION_TIMEOUT_MS,
    allowAutoTopicCreation: false,
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await readUpTo(consumer, ends, take, signal);
  } catch (error) {
    throw signal.aborted ? error : toKafkaError(error, kafka.brokers);
  } finally {
    await consumer.disconnect();
    await forgetGroup(kafka, groupId);
  }
}

/** The offset behind the last record of each partition that has any. */
async function endsOf(kafka: KafkaClient, topic: string, sized: (offsets: number) => void): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const ends = new Map<number, bigint>();
    let offsets = 0;
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (low === high) continue;
      ends.set(partition, BigInt(high));
      offsets += Number(BigInt(high) - BigInt(low));
    }
    sized(offsets);
    return ends;
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect();
  }
}

function readUpTo(
  consumer: Consumer,
  ends: Map<number, bigint>,
  take: (records: readonly ScannedRecord[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    let isOver = false;
    const finish = (settle: () => void): void => {
      isOver = true;
      signal.removeEventListener('abort', abort);
      settle();
    };
    signal.addEventListener('abort', abort, { once: true });
    // A transaction's marker takes an offset too, so the end is reached by fetching past it, not by a record.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      if (BigInt(lastOffset) + 1n >= (ends.get(partition) ?? 0n)) ends.delete(partition);
      if (ends.size === 0) finish(resolve);
    });
    // After what it holds for a passing failure kafkajs starts again by itself.
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) finish(() => reject(payload.error));
    });
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch, heartbeat }) => {
          if (isOver || signal.aborted) return;
          const beating = setInterval(() => void heartbeat().catch(() => {}), HEARTBEAT_MS);
          try {
            await take(recordsUpTo(batch, ends));
          } catch (error) {
            finish(() => reject(error));
          } finally {
            clearInterval(beating);
          }
        },
      })
      .catch((error: unknown) => finish(() => reject(error)));
  });
}

/** What was written since the scan began is not its business. */
function recordsUpTo({ partition, messages }: Batch, ends: ReadonlyMap<number, bigint>): readonly ScannedRecord[] {
  const end = ends.get(partition);
  if (end === undefined) return [];
  const last = messages.at(-1);
  return last === undefined || BigInt(last.offset) < end ? messages : messages.filter(({ offset }) => BigInt(offset) < end);
}
