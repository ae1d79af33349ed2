// Kafka transactions: the records of a batch and its checkpoint become visible together, and a producer that another one replaced is fenced by the transactional id.
// docs/adr/0037-own-transactions.md
import {
  abortable,
  BrokerConnections,
  BrokerRefusal,
  ERROR,
  errorCodes,
  type KafkaClient,
  onAbort,
  type ProducerIdentity,
  TailwaterError,
} from '@tailwater/runtime';
import type { TopicRecords } from '../encode/record-encoder.js';
import { PartitionWriter } from './partition-writer.js';
import type { TransactionSender } from './publisher.js';
import { splitIntoRequests } from './split-into-requests.js';
import { TransactionCoordinator } from './transaction-coordinator.js';
import { toTransactionError } from './transaction-error.js';

/**
 * How long the broker keeps a transaction open that is not ended, in milliseconds: the first that it takes. Its own limit is
 * transaction.max.timeout.ms, 15 minutes by default, which not every user may read.
 */
const TRANSACTION_TIMEOUTS_MS = [60_000, 30_000, 15_000, 10_000, 5000, 2000, 1000];

/** Below what topics are created with. A request is in memory three times while kafkajs sends it: a larger record goes alone. */
const LIMITS = { batchBytes: 8 * 1024 * 1024, requestBytes: 8 * 1024 * 1024 };

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** Called when a broker does not know a topic, or it has no leader. */
  readonly onTopicInDoubt?: () => void;
}

export class KafkaTransactionSender implements TransactionSender {
  /** How long a transaction may take before the broker ends it, in milliseconds. */
  readonly timeoutMs: number;
  readonly #connections: BrokerConnections;
  readonly #coordinator: TransactionCoordinator;
  readonly #identity: ProducerIdentity;
  readonly #writer: PartitionWriter;
  readonly #closed: AbortController;
  readonly #brokers: string;

  private constructor(parts: Parts, identity: ProducerIdentity, timeoutMs: number, brokers: string) {
    this.timeoutMs = timeoutMs;
    this.#connections = parts.connections;
    this.#coordinator = parts.coordinator;
    this.#closed = parts.closed;
    this.#identity = identity;
    this.#brokers = brokers;
    this.#writer = new PartitionWriter(parts.connections, identity, {
      patienceMs: timeoutMs,
      signal: parts.closed.signal,
      onTopicInDoubt: parts.onTopicInDoubt,
    });
  }

  /**
   * Connects and fences every earlier producer of the same transactional id; what it left open is aborted. Once the signal aborts nothing
   * more is asked of Kafka: the next producer must not be fenced by one that gave up. What was on its way then may still arrive, and costs
   * that one a new session (`explainFencing`).
   */
  static async connect(kafka: KafkaClient, transactionalId: string, options: ConnectOptions = {}): Promise<KafkaTransactionSender> {
    const { signal, onTopicInDoubt = () => {} } = options;
    const parts = makeParts(kafka, transactionalId, onTopicInDoubt);
    const stopListening = signal && onAbort(signal, () => parts.closed.abort(signal.reason));
    try {
      for (const timeoutMs of TRANSACTION_TIMEOUTS_MS) {
        try {
          return new KafkaTransactionSender(parts, await claim(parts, timeoutMs), timeoutMs, kafka.brokers);
        } catch (error) {
          if (!(error instanceof BrokerRefusal && error.code === ERROR.INVALID_TRANSACTION_TIMEOUT)) throw error;
        }
      }
      throw new TailwaterError(errorCodes.TRANSACTION_TIMEOUT_TOO_SHORT, {
        brokers: kafka.brokers,
        atLeastMs: Math.min(...TRANSACTION_TIMEOUTS_MS),
      });
    } catch (error) {
      parts.connections.close();
      throw signal?.aborted === true ? signal.reason : toTransactionError(error, kafka.brokers);
    } finally {
      stopListening?.();
    }
  }

  /**
   * A transaction that fails is left to the next producer of this id, whose start aborts it: whether a commit that got no answer took
   * place, only the checkpoint in Kafka tells, and the pipeline starts again from that.
   */
  async send(topics: readonly TopicRecords[]): Promise<void> {
    try {
      const added = new Set<string>();
      for (const round of splitIntoRequests(topics, LIMITS)) {
        const partitions = notYet(added, round);
        if (partitions.size > 0) await this.#coordinator.add(this.#identity, partitions);
        await this.#writer.write(round);
      }
      if (added.size > 0) await this.#coordinator.commit(this.#identity);
    } catch (error) {
      throw toTransactionError(error, this.#brokers);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('The producer is closed'));
    this.#connections.close();
  }
}

interface Parts {
  readonly connections: BrokerConnections;
  readonly coordinator: TransactionCoordinator;
  readonly closed: AbortController;
  readonly onTopicInDoubt: () => void;
}

function makeParts(kafka: KafkaClient, transactionalId: string, onTopicInDoubt: () => void): Parts {
  const connections = new BrokerConnections(kafka);
  const closed = new AbortController();
  const coordinator = new TransactionCoordinator(connections, transactionalId, { signal: closed.signal, onTopicInDoubt });
  return { connections, closed, coordinator, onTopicInDoubt };
}

const claim = ({ coordinator, closed }: Parts, timeoutMs: number): Promise<ProducerIdentity> =>
  abortable(coordinator.claim(timeoutMs), closed.signal);

/** The partitions of the records that are not in the transaction yet; they are by then. */
function notYet(added: Set<string>, round: readonly TopicRecords[]): Map<string, number[]> {
  const partitions = new Map<string, number[]>();
  for (const { topic, messages } of round) {
    for (const { partition } of messages) {
      const name = `${topic}/${partition}`;
      if (added.has(name)) continue;
      added.add(name);
      const each = partitions.get(topic);
      if (each === undefined) partitions.set(topic, [partition]);
      else each.push(partition);
    }
  }
  return partitions;
}
