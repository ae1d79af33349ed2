// The topic `<prefix>.signals` through kafkajs: one partition, read from the offset behind the last signal that was executed.
import { randomUUID } from 'node:crypto';
import { abortable, type KafkaClient, PATIENT_RETRY, sleep, TailwaterError, toKafkaError } from '@tailwater/runtime';
import { forgetGroup } from '../sweep/kafka-forget-group.js';
import { encodeSignal, type Signal } from './signal.js';

/** How long the broker holds a fetch while there is no signal, in milliseconds. */
const MAX_WAIT_MS = 500;
/** A reader that is told to stop says goodbye to the broker for no longer than this, in milliseconds. */
const CLOSE_MS = 2000;

export interface SignalRecord {
  readonly offset: bigint;
  readonly value: Buffer | null;
}

/**
 * Hands over every record from `from` on, until the signal aborts.
 *
 * @param take - called once a record, in order; it must not wait
 */
export async function readSignals(
  kafka: KafkaClient,
  topic: string,
  from: bigint,
  take: (record: SignalRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const groupId = `${topic}.reader-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: MAX_WAIT_MS,
    sessionTimeout: 10_000,
    retry: PATIENT_RETRY,
    allowAutoTopicCreation: false,
  });
  const crashed = new Promise<never>((_, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
  });
  const reading = async (): Promise<never> => {
    const first = await firstOffset(kafka, topic, from);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const offset = BigInt(message.offset);
        if (offset >= first && !signal.aborted) take({ offset, value: message.value });
      },
    });
    consumer.seek({ topic, partition: 0, offset: first.toString() });
    return crashed;
  };
  const closing = async (): Promise<void> => {
    await consumer.disconnect();
    await forgetGroup(kafka, groupId);
  };
  try {
    await abortable(Promise.race([crashed, reading()]), signal);
  } catch (error) {
    throw signal.aborted ? error : toKafkaError(error, kafka.brokers);
  } finally {
    // Without Kafka it would wait for it without end, which a stop must not.
    await Promise.race([closing().catch(() => {}), sleep(CLOSE_MS)]);
  }
}

/** A topic that ends before the offset was deleted and made again: then it is read from its beginning. */
async function firstOffset(kafka: KafkaClient, topic: string, from: bigint): Promise<bigint> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [offsets] = await admin.fetchTopicOffsets(topic);
    return offsets === undefined || BigInt(offsets.high) >= from ? from : BigInt(offsets.low);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/**
 * Writes a signal for the producers of the topic's prefix.
 *
 * @throws TailwaterError TW1146 when there is no such topic
 */
export async function writeSignal(kafka: KafkaClient, topic: string, signal: Signal): Promise<void> {
  if (!(await hasTopic(kafka, topic))) throw new TailwaterError('TW1146', { topic });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, retry: { retries: 10 } });
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [{ key: signal.id, value: encodeSignal(signal), partition: 0 }] });
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await producer.disconnect().catch(() => {});
  }
}

export async function hasTopic(kafka: KafkaClient, topic: string): Promise<boolean> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.listTopics()).includes(topic);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
