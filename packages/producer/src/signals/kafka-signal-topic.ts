// The topic `<prefix>.signals` through kafkajs: one partition, read from the offset behind the last signal that was executed.
import { abortable, CommittedReader, errorCodes, type KafkaClient, sleep, TailwaterError, toKafkaError } from '@tailwater/runtime';
import { encodeSignal, type Signal } from './signal.js';
import type { ReadRecord } from './signal-topic.js';

/** How long the broker holds a fetch while there is no signal, in milliseconds. */
const MAX_WAIT_MS = 500;
/** A reader that is told to stop says goodbye to the broker for no longer than this, in milliseconds. */
const CLOSE_MS = 2000;

/**
 * Hands over every record from `from` on, until the signal aborts.
 *
 * @param take - gets records in order; none more before it has settled
 * @throws the signal's reason, or the coded error for what no retry cures
 */
export async function readSignals(
  kafka: KafkaClient,
  topic: string,
  from: bigint,
  take: (records: readonly ReadRecord[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const reading = async (reader: CommittedReader): Promise<void> => {
    const place = { topic, partition: 0, patienceMs: Number.POSITIVE_INFINITY, maxWaitMs: MAX_WAIT_MS, signal };
    for (let next = from; !signal.aborted; ) {
      const { low, end } = await reader.range(place);
      // A topic that ends before the offset was deleted and made again; one that begins behind it has forgotten what was there.
      if (next < low || next > end) next = low;
      try {
        for await (const fetched of reader.read({ ...place, from: next })) {
          if (signal.aborted) return;
          if (fetched.records.length > 0) await take(fetched.records.map(({ offset, value }) => ({ offset: BigInt(offset), value })));
          next = fetched.next;
        }
      } catch (error) {
        if ((error as { readonly type?: unknown }).type !== 'OFFSET_OUT_OF_RANGE') throw error;
        await sleep(MAX_WAIT_MS, signal);
      }
    }
  };
  const opening = CommittedReader.open(kafka);
  try {
    await abortable(opening.then(reading), signal);
  } finally {
    // Without Kafka it would wait for it without end, which a stop must not.
    const closing = opening.then((reader) => reader[Symbol.asyncDispose]());
    await Promise.race([closing.catch(() => {}), sleep(CLOSE_MS)]);
  }
}

/**
 * Writes a signal for the producers of the topic's prefix.
 *
 * @throws TailwaterError TW1146 when there is no such topic
 */
export async function writeSignal(kafka: KafkaClient, topic: string, signal: Signal): Promise<void> {
  if (!(await hasTopic(kafka, topic))) throw new TailwaterError(errorCodes.NO_SIGNAL_TOPIC, { topic });
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
