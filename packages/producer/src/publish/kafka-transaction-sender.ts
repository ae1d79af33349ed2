// Kafka transactions through kafkajs: the records of a batch and its checkpoint become visible together, and a producer
// that another one replaced is fenced by the transactional id. One send in flight: kafkajs loses records otherwise.
import { isTransactionTimeoutRefused, type KafkaClient, TailwaterError, toKafkaError } from '@tailwater/runtime';
import type { Producer } from 'kafkajs';
import type { TopicRecords } from '../encode/record-encoder.js';
import { encodeOwnBatches } from './kafka-produce.js';
import type { TransactionSender } from './publisher.js';
import { inRounds } from './rounds.js';

/**
 * How long the broker keeps a transaction open that nobody ends, in milliseconds: the first that it takes. Its own limit is
 * transaction.max.timeout.ms, 15 minutes unless somebody lowered it, which not every user may read.
 */
const TRANSACTION_TIMEOUTS_MS = [60_000, 30_000, 15_000, 10_000, 5000, 2000, 1000];

/** Below what topics are created with. A request is in memory three times while kafkajs sends it: a larger record goes alone. */
const LIMITS = { batchBytes: 8 * 1024 * 1024, requestBytes: 8 * 1024 * 1024 };

export class KafkaTransactionSender implements TransactionSender {
  readonly #producer: Producer;
  readonly #brokers: string;

  private constructor(producer: Producer, brokers: string) {
    this.#producer = producer;
    this.#brokers = brokers;
  }

  /** Connects and fences every earlier producer of the same transactional id; what it left open is aborted. */
  static async connect(kafka: KafkaClient, transactionalId: string): Promise<KafkaTransactionSender> {
    encodeOwnBatches(kafka);
    for (const timeoutMs of TRANSACTION_TIMEOUTS_MS) {
      const producer = await connectProducer(kafka, transactionalId, timeoutMs);
      if (producer !== undefined) return new KafkaTransactionSender(producer, kafka.brokers);
    }
    throw new TailwaterError('TW1240', { brokers: kafka.brokers, atLeastMs: Math.min(...TRANSACTION_TIMEOUTS_MS) });
  }

  async send(topics: readonly TopicRecords[]): Promise<void> {
    try {
      // A transaction that fails is left to the next producer of this id, whose start aborts it: whether a commit that got
      // no answer took place, only the checkpoint in Kafka tells, and the pipeline starts again from that.
      const transaction = await this.#producer.transaction();
      for (const round of inRounds(topics, LIMITS)) await transaction.sendBatch({ topicMessages: round as TopicRecords[], acks: -1 });
      await transaction.commit();
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

/** Undefined when the broker allows no transaction that long. */
async function connectProducer(kafka: KafkaClient, transactionalId: string, timeoutMs: number): Promise<Producer | undefined> {
  const producer = kafka.producer({
    transactionalId,
    maxInFlightRequests: 1,
    transactionTimeout: timeoutMs,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
    // The coordinator needs a moment between two transactions and says CONCURRENT_TRANSACTIONS until then: ask again soon.
    retry: { initialRetryTime: 2, multiplier: 1.6, maxRetryTime: 1000, retries: 25 },
  });
  try {
    await producer.connect();
    return producer;
  } catch (error) {
    if (!isTransactionTimeoutRefused(error)) throw toKafkaError(error, kafka.brokers);
    await producer.disconnect();
    return undefined;
  }
}
