// The topics of a cluster as one request brings them, with the ids by which a topic is told from another one of its name.
import {
  Backoff,
  BrokerConnections,
  type KafkaClient,
  keptSettings,
  type PlannedShape,
  readMetadata,
  TailwaterError,
  type TopicPartitions,
} from '@tailwater/runtime';

/** A broker that goes away while it is asked is no reason to end a session: another one is asked. */
const ATTEMPTS = 5;
const PAUSE = { minMs: 200, maxMs: 1_000 };

export class TopicList {
  readonly #connections: BrokerConnections;
  readonly #closed = new AbortController();
  #brokers = 0;

  constructor(kafka: KafkaClient) {
    this.#connections = new BrokerConnections(kafka);
  }

  /** How many there are, by the last answer. */
  get brokers(): number {
    return this.#brokers;
  }

  /** What a topic that is made now needs beside the brokers' own settings. */
  keptSettings(topic: string, shape: PlannedShape): Promise<Readonly<Record<string, string>>> {
    return keptSettings(this.#connections, topic, shape);
  }

  /** Every topic that this user sees, as one broker knows them, by name. */
  async read(): Promise<ReadonlyMap<string, TopicPartitions>> {
    const backoff = new Backoff(PAUSE);
    for (let attempt = 1; ; attempt += 1) {
      this.#closed.signal.throwIfAborted();
      try {
        const { brokers, topics } = await readMetadata(await this.#connections.any(), () => true);
        this.#connections.learn(brokers);
        this.#brokers = brokers.length;
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
