// Reads checkpoints from their Kafka topic. A starting producer first announces itself in a transaction, which fences every
// earlier one, and then reads up to its own announcement: nothing can be written behind its back any more (promise A).
import { type KafkaClient, readCommitted, TailwaterError, toKafkaError } from '@tailwater/runtime';
import type { KafkaMessage } from 'kafkajs';
import { type Checkpoint, type CheckpointMessage, CheckpointReader, sessionMessage } from './checkpoint-record.js';

/** How long reading the checkpoints may take, in milliseconds. */
const READ_TIMEOUT_MS = 60_000;
/** A transaction that is being committed becomes visible within this time; one that somebody left open is not waited for. */
const OPEN_TRANSACTION_MS = 2000;

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
  const deadline = performance.now() + READ_TIMEOUT_MS;
  for await (const { records } of readCommitted(kafka, { topic: location.topic, partition: 0, patienceMs: READ_TIMEOUT_MS })) {
    for (const record of records) if (add(reader, location.topic, record)) return reader.result();
    if (performance.now() > deadline) break;
  }
  throw new TailwaterError('TW1216', { topic: location.topic, seconds: READ_TIMEOUT_MS / 1000 });
}

/** Reads the checkpoint as it stands now, beside a running producer; empty when the topic does not exist. */
export async function peekCheckpoint(kafka: KafkaClient, location: CheckpointLocation): Promise<Checkpoint> {
  const reader = new CheckpointReader(location.source);
  if (!(await exists(kafka, location.topic))) return reader.result();
  let end: bigint | undefined;
  let movedAtMs = performance.now();
  for await (const fetched of readCommitted(kafka, { topic: location.topic, partition: 0, patienceMs: READ_TIMEOUT_MS })) {
    for (const record of fetched.records) add(reader, location.topic, record);
    end ??= fetched.end;
    if (fetched.records.length > 0) movedAtMs = performance.now();
    if (fetched.next >= end || performance.now() - movedAtMs > OPEN_TRANSACTION_MS) break;
  }
  return reader.result();
}

async function exists(kafka: KafkaClient, topic: string): Promise<boolean> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.listTopics()).includes(topic);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect();
  }
}

function add(reader: CheckpointReader, topic: string, { key, value, offset }: KafkaMessage): boolean {
  try {
    return reader.add(key?.toString('utf8') ?? '', value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TailwaterError('TW1215', { topic, partition: 0, offset, reason }, { cause: error });
  }
}
