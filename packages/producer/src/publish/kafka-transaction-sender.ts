// Kafka transactions through kafkajs: the records of a batch and its checkpoint become visible together, and a producer
// that another one replaced is fenced by the transactional id. One send in flight: kafkajs loses records otherwise.
import {
  abortable,
  isTransactionTimeoutRefused,
  type KafkaClient,
  sleep,
  TailwaterError,
  toKafkaError,
  withCluster,
} from '@tailwater/runtime';
import type { Cluster, Producer } from 'kafkajs';
import type { TopicRecords } from '../encode/record-encoder.js';
import { encodeOwnBatches } from './kafka-produce.js';
import type { TransactionSender } from './publisher.js';
import { inRounds } from './rounds.js';
import { unanswered } from './unanswered.js';

/**
 * How long the broker keeps a transaction open that nobody ends, in milliseconds: the first that it takes. Its own limit is
 * transaction.max.timeout.ms, 15 minutes unless somebody lowered it, which not every user may read.
 */
const TRANSACTION_TIMEOUTS_MS = [60_000, 30_000, 15_000, 10_000, 5000, 2000, 1000];

/** kafkajs waits half a minute for answers before it closes; nobody needs them by then. In milliseconds. */
const CLOSE_MS = 1000;

/** Below what topics are created with. A request is in memory three times while kafkajs sends it: a larger record goes alone. */
const LIMITS = { batchBytes: 8 * 1024 * 1024, requestBytes: 8 * 1024 * 1024 };

export class KafkaTransactionSender implements TransactionSender {
  /** How long a transaction may take before the broker ends it, in milliseconds. */
  readonly timeoutMs: number;
  readonly #producer: OwnProducer;
  readonly #brokers: string;

  private constructor(producer: OwnProducer, timeoutMs: number, brokers: string) {
    this.#producer = producer;
    this.timeoutMs = timeoutMs;
    this.#brokers = brokers;
  }

  /**
   * Connects and fences every earlier producer of the same transactional id; what it left open is aborted. Once the signal aborts nothing
   * more is asked of Kafka: whoever comes next must not be fenced by one that gave up. What was on its way then may still arrive, and costs
   * that one a new session (`toldWhoFenced`).
   */
  static async connect(kafka: KafkaClient, transactionalId: string, signal?: AbortSignal): Promise<KafkaTransactionSender> {
    encodeOwnBatches(kafka);
    for (const timeoutMs of TRANSACTION_TIMEOUTS_MS) {
      const producer = makeProducer(kafka, transactionalId, timeoutMs);
      try {
        await (signal === undefined ? begin(producer) : abortable(begin(producer), signal));
        return new KafkaTransactionSender(producer, timeoutMs, kafka.brokers);
      } catch (error) {
        await producer.close();
        if (signal?.aborted === true) throw error;
        if (!isTransactionTimeoutRefused(error)) throw toKafkaError(error, kafka.brokers);
      }
    }
    throw new TailwaterError('TW1240', { brokers: kafka.brokers, atLeastMs: Math.min(...TRANSACTION_TIMEOUTS_MS) });
  }

  async send(topics: readonly TopicRecords[]): Promise<void> {
    try {
      // A transaction that fails is left to the next producer of this id, whose start aborts it: whether a commit that got
      // no answer took place, only the checkpoint in Kafka tells, and the pipeline starts again from that.
      const transaction = await this.#producer.transaction();
      for (const round of inRounds(topics, LIMITS)) {
        for (let rest = round; rest.length > 0; ) {
          const answers = await transaction.sendBatch({ topicMessages: rest as TopicRecords[], acks: -1 });
          rest = unanswered(rest, answers);
        }
      }
      await transaction.commit();
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

interface OwnProducer extends Pick<Producer, 'connect' | 'transaction'> {
  /** Asks nothing of Kafka from now on, whatever kafkajs would still try. */
  close(): Promise<void>;
}

function makeProducer(kafka: KafkaClient, transactionalId: string, transactionTimeout: number): OwnProducer {
  const { made, cluster } = withCluster(kafka, () =>
    kafka.producer({
      transactionalId,
      maxInFlightRequests: 1,
      transactionTimeout,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      // The coordinator needs a moment between two transactions and says CONCURRENT_TRANSACTIONS until then: ask again soon.
      retry: { initialRetryTime: 2, multiplier: 1.6, maxRetryTime: 1000, retries: 25 },
    }),
  );
  const closed = new AbortController();
  if (cluster !== undefined) endCoordinationOn(cluster, closed.signal);
  return {
    connect: () => made.connect(),
    transaction: () => made.transaction(),
    close: async () => {
      closed.abort(new Error('The producer is closed'));
      await Promise.race([made.disconnect().catch(() => {}), sleep(CLOSE_MS)]);
    },
  };
}

/** kafkajs claims the id with the first transaction, and tries for ever: one that holds nothing, and is not sent, has it claimed here. */
async function begin(producer: OwnProducer): Promise<void> {
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.abort();
}

/** What claims the id, and what ends a transaction, goes to its coordinator, which is found anew each time: after the signal it is not found. */
function endCoordinationOn(cluster: Cluster, signal: AbortSignal): void {
  const find = cluster.findGroupCoordinator.bind(cluster);
  cluster.findGroupCoordinator = async (group) => {
    const broker = await find(group);
    signal.throwIfAborted();
    return broker;
  };
}
