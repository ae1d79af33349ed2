// Whether Kafka is there, within seconds: the clients themselves would wait for ever, and say so only in the log.

import { Kafka, logLevel } from 'kafkajs';
import { systemClock } from '../async/clock.js';
import { sleep } from '../async/sleep.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { KafkaClient } from './create-kafka.js';
import { isHangUp, toKafkaError } from './kafka-errors.js';

const DEFAULT_TIMEOUT_MS = 15_000;
const PAUSE_MS = 250;

export interface CheckKafkaOptions {
  /** Default 15 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface KafkaCluster {
  readonly clusterId: string;
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
}

/**
 * Asks the cluster for its brokers, again and again until one answers or the time is up.
 *
 * @throws TailwaterError TW1201 no answer in time, TW1217 the connection was closed; TW1218 no token; TW1202, TW1208,
 *   TW1210 or TW1219, at once, when the answer was no
 */
export async function checkKafka(kafka: KafkaClient, options: CheckKafkaOptions = {}): Promise<KafkaCluster> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const deadline = systemClock.monotonic() + timeoutMs;
  let last: unknown;
  for (;;) {
    const remainingMs = deadline - systemClock.monotonic();
    signal?.throwIfAborted();
    if (remainingMs <= 0) throw timeIsUp(kafka.brokers, last);
    try {
      // kafkajs would say no more than that it cannot connect.
      await kafka.connection.tokens?.token();
      return await probe(kafka, remainingMs, signal);
    } catch (error) {
      const coded = toKafkaError(error, kafka.brokers);
      if (!(coded instanceof TailwaterError && coded.retriable)) throw coded;
      // An attempt that only ran out of time knows less than the one before it.
      if (coded.code !== errorCodes.KAFKA_UNREACHABLE || coded.cause !== undefined) last = coded;
    }
    await sleep(Math.min(PAUSE_MS, Math.max(0, deadline - systemClock.monotonic())), signal);
  }
}

function timeIsUp(brokers: string, cause: unknown): unknown {
  if (isHangUp(cause)) return new TailwaterError(errorCodes.KAFKA_HANGS_UP, { brokers }, { cause });
  return cause ?? new TailwaterError(errorCodes.KAFKA_UNREACHABLE, { brokers });
}

/** One attempt with a client of its own, which gives up instead of retrying: kafkajs cannot be told to stop. */
async function probe(kafka: KafkaClient, timeoutMs: number, signal: AbortSignal | undefined): Promise<KafkaCluster> {
  const { brokers, clientId, ssl, sasl } = kafka.connection;
  const admin = new Kafka({
    brokers: kafka.brokers.split(','),
    clientId,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    connectionTimeout: Math.min(5_000, timeoutMs),
    requestTimeout: timeoutMs,
    // Each retry takes the next broker of the list, so all of them are tried once.
    retry: { initialRetryTime: 20, retries: brokers.length - 1 },
    logLevel: logLevel.NOTHING,
  }).admin();
  const gaveUp = new AbortController();
  const describe = async () => {
    await admin.connect();
    const { clusterId, brokers: nodes } = await admin.describeCluster();
    return { clusterId, brokers: nodes };
  };
  const giveUp = async () => {
    await sleep(timeoutMs, signal === undefined ? gaveUp.signal : AbortSignal.any([gaveUp.signal, signal]));
    signal?.throwIfAborted();
    throw new TailwaterError(errorCodes.KAFKA_UNREACHABLE, { brokers: kafka.brokers });
  };
  const asked = describe();
  try {
    return await Promise.race([asked, giveUp()]);
  } finally {
    gaveUp.abort();
    // Without waiting: a server that accepts connections and never answers does not end them either.
    void asked.catch(() => {}).then(() => admin.disconnect().catch(() => {}));
  }
}
