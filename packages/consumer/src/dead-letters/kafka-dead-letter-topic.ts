// The dead-letter topic on kafkajs: compacted, so that a letter stays until it is removed. It is there from the group's first commit
// on, so that a group whose offsets Kafka has forgotten is known from a new one.
import {
  errorCodes,
  type KafkaClient,
  type Logger,
  Outage,
  readRanges,
  sleep,
  systemClock,
  TailwaterError,
  toKafkaError,
} from '@tailwater/runtime';
import type { Producer } from 'kafkajs';
import { readToEnd } from '../subscribe/kafka-reader.js';
import { type DeadLetter, type DeadLetterMessage, decodeDeadLetter } from './dead-letter.js';
import { DeadLetterIndex } from './dead-letter-index.js';
import type { DeadLetterSender } from './dead-letter-writer.js';
import { DeadLetterTopicAdmin } from './kafka-dead-letter-topic-admin.js';

/** Removals share a record batch. */
const REMOVED_AT_ONCE = 1_000;
const DISCONNECT_TIMEOUT_MS = 2_000;
const CREATE_AGAIN_MS = 1_000;
const TEXTS = {
  begins: 'The topic of dead letters cannot be created, trying again until it can',
  lasts: 'The topic of dead letters still cannot be created',
  over: 'The topic of dead letters is there',
};

export class DeadLetterTopic implements DeadLetterSender {
  readonly topic: string;
  readonly #kafka: KafkaClient;
  readonly #place: DeadLetterTopicAdmin;
  readonly #outage: Outage;
  readonly #closed = new AbortController();
  #producer: Promise<Producer> | undefined;

  constructor(kafka: KafkaClient, topic: string, logger: Logger) {
    this.#kafka = kafka;
    this.topic = topic;
    this.#outage = new Outage(TEXTS, logger, systemClock);
    this.#place = new DeadLetterTopicAdmin(kafka, topic, logger);
  }

  /** @throws TailwaterError TW12xx when Kafka refuses the letters for good; waits for a broker that is away */
  async send(deadLetters: readonly DeadLetterMessage[]): Promise<void> {
    await this.#send(deadLetters.map(({ key, value, headers }) => ({ key, value, headers })));
  }

  /** Removes letters for good. */
  async remove(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += REMOVED_AT_ONCE) {
      await this.#send(ids.slice(from, from + REMOVED_AT_ONCE).map((key) => ({ key, value: null })));
    }
  }

  /** Which letters there are that were not removed; none when there is no topic. */
  async index(wants: (id: string) => boolean, signal: AbortSignal): Promise<DeadLetterIndex> {
    const index = new DeadLetterIndex();
    const [end] = await readToEnd(this.#kafka, { topics: [this.topic], signal }, (record) => {
      const deadLetter = decodeDeadLetter(record);
      const id = record.key?.toString('utf8') ?? '';
      if (deadLetter === undefined) index.delete(id);
      else if (wants(id)) index.set(id, Number(record.offset));
    });
    index.end = end?.high ?? 0;
    return index;
  }

  /** The letters of the index, those that were refused longest ago first. */
  async *read(index: DeadLetterIndex, signal: AbortSignal): AsyncGenerator<DeadLetter> {
    const range = { topic: this.topic, partition: 0, begin: index.begin, end: index.end };
    for await (const { records } of readRanges(this.#kafka, [range], signal)) {
      for (const record of records) {
        const deadLetter = decodeDeadLetter(record);
        if (deadLetter !== undefined && index.isAt(deadLetter.id, Number(record.offset))) yield deadLetter;
      }
    }
  }

  /** Does not wait for a broker that is away. */
  async close(): Promise<void> {
    this.#closed.abort();
    const closed = this.#producer?.then((producer) => producer.disconnect()).catch(() => undefined);
    if (closed !== undefined) await Promise.race([closed, sleep(DISCONNECT_TIMEOUT_MS)]);
  }

  async #send(messages: { key: string; value: Buffer | null; headers?: DeadLetterMessage['headers'] }[]): Promise<void> {
    this.#producer ??= this.#connect();
    try {
      const producer = await this.#producer;
      await producer.send({ topic: this.topic, acks: -1, messages: messages.map((message) => ({ ...message, partition: 0 })) });
    } catch (error) {
      const cause = toKafkaError(error, this.#kafka.brokers);
      throw cause instanceof TailwaterError
        ? cause
        : new TailwaterError(errorCodes.DEAD_LETTER_NOT_WRITTEN, { topic: this.topic, reason: String(error) }, { cause });
    }
  }

  async #connect(): Promise<Producer> {
    await this.create();
    // One send in flight: kafkajs loses and repeats acknowledged records when a broker restarts under several.
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    return producer;
  }

  /** Creates the topic unless it exists; waits for brokers that are away. */
  async create(): Promise<void> {
    for (;;) {
      try {
        await this.#place.create();
        this.#outage.recovered();
        return;
      } catch (error) {
        const isPassing = error instanceof TailwaterError && error.code === errorCodes.BROKERS_AWAY;
        if (!isPassing || this.#closed.signal.aborted) throw error;
        this.#outage.failed(error.message, { code: error.code, hint: error.hint });
        await sleep(CREATE_AGAIN_MS, this.#closed.signal);
      }
    }
  }

  /** Tells of what may lose letters, where the topic exists. */
  compare(): Promise<void> {
    return this.#place.compare();
  }
}
