// Kafka transactions through kafkajs: the records of a batch and its checkpoint become visible together, and a producer
// that another one replaced is fenced by the transactional id. One send in flight: kafkajs loses records otherwise.
import { type KafkaClient, toKafkaError } from '@tailwater/runtime';
import type { Producer } from 'kafkajs';
import type { TopicRecords } from '../encode/record-encoder.js';
import { encodeOwnBatches } from './kafka-produce.js';
import type { TransactionSender } from './publisher.js';
import { inRounds } from './rounds.js';

/** Longest time the broker keeps a transaction open that nobody ends, in milliseconds. */
const TRANSACTION_TIMEOUT_MS = 60_000;

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
    const producer = kafka.producer({
      transactionalId,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
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
    } catch (error) {
      throw toKafkaError(error, kafka.brokers);
    }
    return new KafkaTransactionSender(producer, kafka.brokers);
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
