// Why Kafka takes nothing more of a producer. A broker gives one answer, INVALID_PRODUCER_EPOCH, to a producer that another one replaced, and
// to one whose transaction took too long and was ended. What tells them apart: the one that takes over announces itself among the checkpoints first.
import { abortable, CommittedReader, type CommittedRecords, errorCodes, type KafkaClient, sleep, TailwaterError } from '@tailwater/runtime';
import { sessionOf } from '../checkpoint/checkpoint-record.js';
import type { CheckpointLocation } from '../checkpoint/kafka-checkpoint-store.js';

/** How long Kafka may take to show what was announced, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The one that takes over fences first and announces itself then; how long that may take, in milliseconds. */
const ANNOUNCED_WITHIN_MS = 3000;
const PAUSE_MS = 100;
const FENCED = errorCodes.PRODUCER_FENCED;

export interface OwnSession {
  readonly kafka: KafkaClient;
  readonly location: CheckpointLocation;
  readonly session: string;
  /** No session that began later is announced before this offset. */
  readonly from: bigint;
  readonly timeoutMs: number;
}

/** The error itself, or TW1220 for one that says that another producer took over where none has. */
export async function explainFencing(error: unknown, own: OwnSession, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof TailwaterError) || error.code !== FENCED) return error;
  // What cannot be read now: then another one is assumed, and the group will say.
  const soon = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const isReplaced = await abortable(isAnotherAnnounced(own, soon), soon).catch(() => true);
  if (isReplaced) return error;
  return new TailwaterError(
    errorCodes.TRANSACTION_TIMED_OUT,
    { brokers: own.kafka.brokers, seconds: own.timeoutMs / 1000 },
    { cause: error },
  );
}

async function isAnotherAnnounced({ kafka, location, session, from }: OwnSession, signal: AbortSignal): Promise<boolean> {
  const place = { topic: location.topic, partition: 0, patienceMs: PATIENCE_MS, signal };
  const reader = await CommittedReader.open(kafka);
  const isAnothers = ({ key, value }: CommittedRecords['records'][number]): boolean => {
    const announced = sessionOf(location.source, String(key), value);
    return announced !== undefined && announced !== session;
  };
  try {
    const { low } = await reader.range(place);
    const untilMs = performance.now() + ANNOUNCED_WITHIN_MS;
    let before = from > low ? from : low;
    for await (const { records, next } of reader.read({ ...place, from: before })) {
      if (records.some(isAnothers)) return true;
      // Behind the last batch there is nothing yet, though offsets before the end may be missing from the log.
      if (next === before) {
        if (performance.now() > untilMs) return false;
        await sleep(PAUSE_MS, signal);
      }
      before = next;
    }
    return false;
  } finally {
    await reader[Symbol.asyncDispose]();
  }
}
