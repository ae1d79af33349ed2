// The topics of a cluster as one request brings them, with the ids by which a topic is told from another one of its name.
import {
  Backoff,
  type Broker,
  BrokerConnections,
  type KafkaClient,
  keptSettings,
  type PlannedShape,
  readMetadata,
  readTopics,
  TailwaterError,
  type TopicPartitions,
} from '@tailwater/runtime';

export type FoundTopics = ReadonlyMap<string, TopicPartitions>;

/** A broker that goes away while it is asked is no reason to end a session: another one is asked. */
const ATTEMPTS = 5;
const PAUSE = { minMs: 200, maxMs: 1_000 };

export class TopicList {
  readonly #connections: BrokerConnections;
  readonly #closed = new AbortController();
  /** Which broker told what. */
  readonly #tellers = new WeakMap<FoundTopics, number>();
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

  /**
   * Every topic that this user sees, as one broker knows them, by name.
   *
   * @param before - what was read: now another broker is asked, unless there is only one. One that has just started, or is cut off, may know less than the others
   */
  async read(before?: FoundTopics): Promise<FoundTopics> {
    const backoff = new Backoff(PAUSE);
    for (let attempt = 1; ; attempt += 1) {
      this.#closed.signal.throwIfAborted();
      try {
        const broker = await this.#ask(before === undefined ? undefined : this.#tellers.get(before));
        const { brokers, topics } = await readMetadata(broker, () => true);
        this.#connections.learn(brokers);
        this.#brokers = brokers.length;
        if (broker.nodeId !== undefined) this.#tellers.set(topics, broker.nodeId);
        return topics;
      } catch (error) {
        if (attempt === ATTEMPTS || error instanceof TailwaterError) throw error;
      }
      await backoff.pause(this.#closed.signal);
    }
  }

  async #ask(before: number | undefined): Promise<Broker> {
    if (before !== undefined) return this.#connections.otherThan(before);
    // The address that one was given tells not which broker it is.
    if (!this.#connections.areKnown) this.#connections.learn((await readTopics(await this.#connections.any(), [])).brokers);
    return this.#connections.any();
  }

  close(): void {
    this.#closed.abort(new Error('The list of topics is closed'));
    this.#connections.close();
  }
}
