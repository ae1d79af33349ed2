// The requests to the broker that coordinates the transactions of one id. What a broker has answered may be asked again. What got no answer may not: a copy of a request that
// comes late would be taken for one of the next transaction, and commit it half done. The session ends then, and the next one claims the id anew, which fences the copy.
import {
  abortable,
  addPartitionsToTransaction,
  Backoff,
  type Broker,
  type BrokerConnections,
  BrokerRefusal,
  type BrokerRequest,
  ERROR,
  endTransaction,
  findTransactionCoordinator,
  initProducerId,
  type ProducerIdentity,
} from '@tailwater/runtime';

/** It loads, or has moved, or still ends the transaction before: an answer, so that nothing is on its way any more. */
const ASK_AGAIN: ReadonlySet<number> = new Set([
  ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  ERROR.COORDINATOR_NOT_AVAILABLE,
  ERROR.NOT_COORDINATOR,
  ERROR.CONCURRENT_TRANSACTIONS,
  // A topic that was made a moment ago is not known to every broker yet.
  ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  ERROR.LEADER_NOT_AVAILABLE,
]);
/** The end of a transaction takes the coordinator some milliseconds. */
const PAUSE = { minMs: 2, maxMs: 1000, factor: 1.6 };
/** How long a coordinator is looked for, and asked again, in milliseconds. */
const PATIENCE_MS = 60_000;

export interface CoordinatorOptions {
  /** Nothing is asked any more once it aborts. */
  readonly signal: AbortSignal;
  /** Is called when the coordinator does not know a topic. */
  readonly onTopicInDoubt?: () => void;
}

export class TransactionCoordinator {
  readonly #connections: BrokerConnections;
  readonly #transactionalId: string;
  readonly #signal: AbortSignal;
  readonly #onTopicInDoubt: () => void;
  #nodeId: number | undefined;

  constructor(connections: BrokerConnections, transactionalId: string, { signal, onTopicInDoubt = () => {} }: CoordinatorOptions) {
    this.#connections = connections;
    this.#transactionalId = transactionalId;
    this.#signal = signal;
    this.#onTopicInDoubt = onTopicInDoubt;
  }

  claim(timeoutMs: number): Promise<ProducerIdentity> {
    return this.#ask(initProducerId(this.#transactionalId, timeoutMs));
  }

  add(identity: ProducerIdentity, partitions: ReadonlyMap<string, readonly number[]>): Promise<void> {
    return this.#ask(addPartitionsToTransaction(identity, partitions));
  }

  commit(identity: ProducerIdentity): Promise<void> {
    return this.#ask(endTransaction(identity, 'commit'));
  }

  async #ask<T>(request: BrokerRequest<T>): Promise<T> {
    const untilMs = performance.now() + PATIENCE_MS;
    const backoff = new Backoff(PAUSE);
    while (true) {
      const broker = await this.#find(untilMs);
      this.#signal.throwIfAborted();
      try {
        return await broker.send(request);
      } catch (error) {
        if (!(error instanceof BrokerRefusal) || !ASK_AGAIN.has(error.code) || performance.now() > untilMs) throw error;
        if (error.code === ERROR.UNKNOWN_TOPIC_OR_PARTITION) this.#onTopicInDoubt();
        if (error.code !== ERROR.CONCURRENT_TRANSACTIONS) this.#nodeId = undefined;
      }
      await backoff.pause(this.#signal);
      this.#signal.throwIfAborted();
    }
  }

  /** The broker, connected: until then nothing was asked of it. */
  async #find(untilMs: number): Promise<Broker> {
    const backoff = new Backoff(PAUSE);
    while (true) {
      this.#signal.throwIfAborted();
      try {
        this.#nodeId ??= await abortable(this.#locate(), this.#signal);
        return await abortable(this.#connections.node(this.#nodeId), this.#signal);
      } catch (error) {
        this.#nodeId = undefined;
        const isRefused = error instanceof BrokerRefusal && !ASK_AGAIN.has(error.code);
        if (this.#signal.aborted || isRefused || performance.now() > untilMs) throw error;
      }
      await backoff.pause(this.#signal);
    }
  }

  async #locate(): Promise<number> {
    const address = await (await this.#connections.any()).send(findTransactionCoordinator(this.#transactionalId));
    this.#connections.know(address);
    return address.nodeId;
  }
}
