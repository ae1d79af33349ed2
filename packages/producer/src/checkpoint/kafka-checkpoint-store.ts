// Reads checkpoints from their Kafka topic. A starting producer first announces itself in a transaction, which fences every
// earlier one, and then reads up to its own announcement: nothing can be written behind its back any more (promise A).
import {
  type CommittedPartition,
  CommittedReader,
  errorCodes,
  type KafkaClient,
  type Logger,
  TailwaterError,
  toKafkaError,
} from '@tailwater/runtime';
import type { KafkaMessage } from 'kafkajs';
import type { CheckpointBase } from './base.js';
import { beginningOf, type Checkpoint, type CheckpointMessage, CheckpointReader, sessionMessage } from './checkpoint-record.js';

/** Without anything new for so long, in milliseconds, reading has failed: a transaction that was left open ends sooner. */
const SILENCE_MS = 90_000;
/** How long brokers that are away are looked for, in milliseconds. */
const PATIENCE_MS = 60_000;
/** How often reading that takes long is told of, in milliseconds. */
const TELL_EVERY_MS = 10_000;
/** A base is looked for in so many offsets before the end, then in ten times as many. */
const FIRST_STEP = 1_000n;
const LAST_STEP = 1_000_000n;

export interface CheckpointLocation {
  readonly topic: string;
  /** The source whose checkpoint it is: the replica set's name. */
  readonly source: string;
}

export interface ClaimOptions {
  readonly signal?: AbortSignal;
  /** Gets what is read, for repeating it. */
  readonly base?: CheckpointBase;
  /** Is told now and then how far reading has come, where that takes long: once, in a topic that grew before there were bases. */
  readonly logger?: Logger;
}

/**
 * Announces a new session through `announce` and reads the checkpoint as it stands behind it.
 *
 * @param session - a name that no session had before
 * @throws TailwaterError TW1215 for a record that this version does not understand, TW1216 when nothing more comes before the announcement
 */
export async function claimCheckpoint(
  kafka: KafkaClient,
  location: CheckpointLocation,
  session: string,
  announce: (message: CheckpointMessage) => Promise<void>,
  options: ClaimOptions = {},
): Promise<Checkpoint> {
  await announce(sessionMessage(location.source, session));
  const checkpoint = new CheckpointReader(location.source, session);
  const { signal, base, logger } = options;
  const place = placeOf(location, signal);
  const reader = await CommittedReader.open(kafka);
  try {
    const from = await placeToBegin(reader, place, location.source);
    let next = from;
    let movedAtMs = performance.now();
    let toldAtMs = movedAtMs;
    for await (const fetched of reader.read({ ...place, from })) {
      for (const record of fetched.records) {
        base?.take(String(record.key), record.value && Buffer.from(record.value));
        if (!add(checkpoint, location.topic, record)) continue;
        const claimed = checkpoint.result();
        if (base !== undefined) Object.assign(base, { from, scanned: BigInt(record.offset), isShared: claimed.isShared });
        return claimed;
      }
      if (fetched.next > next) movedAtMs = performance.now();
      next = fetched.next;
      const nowMs = performance.now();
      if (nowMs - movedAtMs > SILENCE_MS) break;
      if (nowMs - toldAtMs < TELL_EVERY_MS) continue;
      toldAtMs = nowMs;
      logger?.info({ topic: location.topic, offset: String(next), end: String(fetched.end) }, 'Reading the checkpoints');
    }
  } finally {
    await reader[Symbol.asyncDispose]();
  }
  throw new TailwaterError(errorCodes.CHECKPOINT_READ_TIMED_OUT, { topic: location.topic, seconds: SILENCE_MS / 1000 });
}

/** Reads the checkpoint as it stands now, beside a running producer; empty when the topic does not exist. */
export async function peekCheckpoint(kafka: KafkaClient, location: CheckpointLocation): Promise<Checkpoint> {
  const checkpoint = new CheckpointReader(location.source);
  if (!(await exists(kafka, location.topic))) return checkpoint.result();
  const place = placeOf(location);
  const reader = await CommittedReader.open(kafka);
  try {
    const { end } = await reader.range(place);
    await readBetween(
      reader,
      { ...place, from: await placeToBegin(reader, place, location.source) },
      end,
      (record) => void add(checkpoint, location.topic, record),
    );
  } finally {
    await reader[Symbol.asyncDispose]();
  }
  return checkpoint.result();
}

const placeOf = ({ topic }: CheckpointLocation, signal?: AbortSignal): CommittedPartition => ({
  topic,
  partition: 0,
  patienceMs: PATIENCE_MS,
  signal,
});

/** Where the newest base says, which is looked for backwards from the end; the topic's beginning if there is no base. */
async function placeToBegin(reader: CommittedReader, place: CommittedPartition, source: string): Promise<bigint> {
  const { low, end } = await reader.range(place);
  let behind = end;
  for (let step = FIRST_STEP; behind > low && step <= LAST_STEP; step *= 10n) {
    const start = end - step > low ? end - step : low;
    let found: bigint | undefined;
    await readBetween(reader, { ...place, from: start }, behind, (record) => {
      const from = coded(place.topic, record, (key) => beginningOf(source, key, record.value));
      // Never behind itself, as the offsets of another topic that was copied here may be.
      if (from !== undefined) found = from < BigInt(record.offset) ? from : BigInt(record.offset);
    });
    if (found !== undefined) return found > low ? found : low;
    behind = start;
  }
  return low;
}

/** Reads what is committed and stable between two offsets. */
async function readBetween(
  reader: CommittedReader,
  { from, ...place }: CommittedPartition & { readonly from: bigint },
  end: bigint,
  take: (record: KafkaMessage) => void,
): Promise<void> {
  if (from >= end) return;
  let before = from;
  for await (const { records, next } of reader.read({ ...place, from })) {
    for (const record of records) if (BigInt(record.offset) < end) take(record);
    // Behind the last batch there is nothing, though offsets before the end may be missing from the log.
    if (next >= end || next === before) return;
    before = next;
  }
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

const add = (reader: CheckpointReader, topic: string, record: KafkaMessage): boolean =>
  coded(topic, record, (key) => reader.add(key, record.value));

function coded<T>(topic: string, { key, offset }: KafkaMessage, read: (key: string) => T): T {
  try {
    return read(key?.toString('utf8') ?? '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TailwaterError(errorCodes.CHECKPOINT_UNREADABLE, { topic, partition: 0, offset, reason }, { cause: error });
  }
}
