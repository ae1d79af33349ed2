// Reads checkpoints from their Kafka topic. A starting producer first announces itself in a transaction, which fences every
// earlier one, and then reads up to its own announcement: nothing can be written behind its back any more (promise A).
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type KafkaClient, TailwaterError, toKafkaError } from '@tailwater/runtime';
import { type Checkpoint, type CheckpointMessage, CheckpointReader, sessionMessage } from './checkpoint-record.js';

/** How long reading the checkpoints may take, in milliseconds. */
const READ_TIMEOUT_MS = 60_000;

export interface CheckpointLocation {
  readonly topic: string;
  /** The source whose checkpoint it is: the replica set's name. */
  readonly source: string;
}

/**
 * Announces a new session through `announce` and reads the checkpoint as it stands behind it.
 *
 * @param session - a name that no session had before
 * @throws TailwaterError TW1215 for a record that this version does not understand, TW1216 when the announcement cannot be read back in time
 */
export async function claimCheckpoint(
  kafka: KafkaClient,
  location: CheckpointLocation,
  session: string,
  announce: (message: CheckpointMessage) => Promise<void>,
): Promise<Checkpoint> {
  await announce(sessionMessage(location.source, session));
  const reader = new CheckpointReader(location.source, session);
  let complete = false;
  await readTopic(kafka, location, (key, value) => {
    complete ||= reader.add(key, value);
    return complete;
  });
  return reader.result();
}

/** Reads the checkpoint as it stands now, beside a running producer; empty when the topic does not exist. */
export function peekCheckpoint(kafka: KafkaClient, location: CheckpointLocation): Promise<Checkpoint> {
  return readToEnd(kafka, location, false);
}

/**
 * The session that was announced last, whether or not its announcement is committed: a transaction that somebody left open
 * does not hold this up.
 */
export async function newestSession(kafka: KafkaClient, location: CheckpointLocation): Promise<string | undefined> {
  return (await readToEnd(kafka, location, true)).session;
}

async function readToEnd(kafka: KafkaClient, location: CheckpointLocation, readUncommitted: boolean): Promise<Checkpoint> {
  const reader = new CheckpointReader(location.source);
  const end = await endOfTopic(kafka, location);
  if (end === undefined) return reader.result();
  const take = (key: string, value: Buffer | null): boolean => {
    reader.add(key, value);
    return false;
  };
  await readTopic(kafka, location, take, { end, readUncommitted });
  return reader.result();
}

/** The offset behind the topic's last record; undefined when it has none. */
async function endOfTopic(kafka: KafkaClient, location: CheckpointLocation): Promise<bigint | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(location.topic)) return undefined;
    const [offsets] = await admin.fetchTopicOffsets(location.topic);
    return offsets === undefined || offsets.high === offsets.low ? undefined : BigInt(offsets.high);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect();
  }
}

async function readTopic(
  kafka: KafkaClient,
  location: CheckpointLocation,
  take: (key: string, value: Buffer | null) => boolean,
  { end, readUncommitted = false }: { end?: bigint; readUncommitted?: boolean } = {},
): Promise<void> {
  const groupId = `${location.topic}.reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, sessionTimeout: 10_000, readUncommitted, allowAutoTopicCreation: false });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [location.topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new TailwaterError('TW1216', { topic: location.topic, seconds: READ_TIMEOUT_MS / 1000 })),
        READ_TIMEOUT_MS,
      );
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        settle();
      };
      // After what it holds for a passing failure, such as a coordinator that is loading, kafkajs starts again by itself.
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) finish(() => reject(payload.error));
      });
      // A transaction's marker takes an offset too, so the end is reached by fetching past it, not by a record.
      if (end !== undefined) {
        consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
          if (BigInt(payload.lastOffset) + 1n >= end) finish(resolve);
        });
      }
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            for (const { key, value, offset } of batch.messages) {
              try {
                if (take(key?.toString('utf8') ?? '', value)) finish(resolve);
              } catch (error) {
                finish(() => reject(unreadable(batch, offset, error)));
              }
            }
          },
        })
        .catch((error: unknown) => finish(() => reject(error)));
    });
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await consumer.disconnect();
    await forgetGroup(kafka, groupId);
  }
}

function unreadable({ topic, partition }: { topic: string; partition: number }, offset: string, error: unknown): TailwaterError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TailwaterError('TW1215', { topic, partition, offset, reason }, { cause: error });
}

/** Removes the reader's group; the broker would do so by itself after days. */
export async function forgetGroup(kafka: KafkaClient, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await admin.deleteGroups([groupId]);
        return;
      } catch {
        // The member's leaving may not have arrived yet.
        await delay(50);
      }
    }
  } catch {
    // An empty group costs nothing and expires: not worth a failed start.
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
