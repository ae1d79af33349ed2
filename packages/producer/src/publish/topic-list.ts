// The topics of a cluster as one request brings them, with the ids by which a topic is told from another one of its name.
import { Backoff, BrokerConnections, type KafkaClient, readMetadata, TailwaterError, type TopicPartitions } from '@tailwater/runtime';

/** A broker that goes away while it is asked is no reason to end a session: another one is asked. */
const ATTEMPTS = 5;
const PAUSE = { minMs: 200, maxMs: 1_000 };

export class TopicList {
  readonly #connections: BrokerConnections;
  readonly #closed = new AbortController();

  constructor(kafka: KafkaClient) {
    this.#connections = new BrokerConnections(kafka);
  }

  /** Every topic that this user sees, as one broker knows them, by name. */
  async read(): Promise<ReadonlyMap<string, TopicPartitions>> {
    const backoff = new Backoff(PAUSE);
    for (let attempt = 1; ; attempt += 1) {
      this.#closed.signal.throwIfAborted();
      try {
        const { brokers, topics } = await readMetadata(await this.#connections.any(), () => true);
        this.#connections.learn(brokers);
        return topics;
      } catch (error) {
        if (attempt === ATTEMPTS || error instanceof TailwaterError) throw error;
      }
      await backoff.pause(this.#closed.signal);
    }
  }

  close(): void {
    this.#closed.abort(new Error('The list of topics is closed'));
    this.#connections.close();
  }
}
