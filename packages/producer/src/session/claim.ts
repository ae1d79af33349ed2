// What a session has of Kafka: the topics that it writes to, the id of its transactions, and with the claim of the checkpoint the word that no earlier producer writes any more.
import { randomUUID } from 'node:crypto';
import { abortable, type KafkaClient, type Logger, type TopicAdvice } from '@tailwater/runtime';
import { checkpointTopicName, signalsTopicName } from '@tailwater/schema';
import { CheckpointBase } from '../checkpoint/base.js';
import { BaseKeeper } from '../checkpoint/base-keeper.js';
import type { Checkpoint, CheckpointMessage } from '../checkpoint/checkpoint-record.js';
import { CheckpointTopic } from '../checkpoint/checkpoint-topic.js';
import { type CheckpointLocation, claimCheckpoint } from '../checkpoint/kafka-checkpoint-store.js';
import { explainFencing } from '../election/explain-fencing.js';
import { producerName } from '../election/producer-name.js';
import type { TopicRecords } from '../encode/record-encoder.js';
import { CHECKPOINT_LIMITS } from '../publish/kafka-small-topics.js';
import { KafkaTopics } from '../publish/kafka-topics.js';
import { KafkaTransactionSender } from '../publish/kafka-transaction-sender.js';
import { Publisher } from '../publish/publisher.js';
import type { SubjectIds } from '../publish/subject-ids.js';
import { TopicList } from '../publish/topic-list.js';
import { SIGNALS } from '../publish/topic-settings.js';
import { TopicWatch } from '../publish/topic-watch.js';
import { readSignals } from '../signals/kafka-signal-topic.js';
import { type ReadSignals, SignalTopic } from '../signals/signal-topic.js';

export interface ClaimDependencies {
  readonly kafka: KafkaClient;
  /** The source's name in checkpoints. */
  readonly source: string;
  /** Where a schema registry is used. */
  readonly subjects: SubjectIds | undefined;
  readonly advice: TopicAdvice;
  readonly onTopicsMade?: (count: number) => void;
  readonly logger: Logger;
}

export interface ClaimOptions {
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** How often topics in use are looked at again, in milliseconds. */
  readonly topicLookMs?: number;
}

/** What is written to, and what the checkpoint said when it was claimed. */
export interface Claimed {
  readonly checkpoint: Checkpoint;
  readonly checkpointTopic: string;
  readonly topics: KafkaTopics;
  readonly topicWatch: TopicWatch;
  readonly publisher: Publisher;
  readonly baseKeeper: BaseKeeper;
  readonly signals: SignalTopic;
  /** Puts records into the checkpoint, ahead of everything that follows; resolves when they are committed. */
  readonly announce: (...messages: CheckpointMessage[]) => Promise<void>;
}

export class Claim {
  readonly #deps: ClaimDependencies;
  readonly #options: ClaimOptions;
  readonly #id = randomUUID();
  readonly #location: CheckpointLocation;
  readonly #base: CheckpointBase;
  readonly #admin: ReturnType<KafkaClient['admin']>;
  readonly #list: TopicList;
  #sender: KafkaTransactionSender | undefined;
  /** Where the checkpoint topic ended before the claim. */
  #before = 0n;

  constructor(deps: ClaimDependencies, options: ClaimOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#location = { topic: checkpointTopicName(options.prefix), source: deps.source };
    this.#base = new CheckpointBase(deps.source);
    this.#admin = deps.kafka.admin();
    this.#list = new TopicList(deps.kafka);
  }

  /** Fences every earlier producer, and reads what it had come to. */
  async take(signal: AbortSignal): Promise<Claimed> {
    const { kafka, source, logger } = this.#deps;
    const [location, base] = [this.#location, this.#base];
    const checkpointTopic = location.topic;
    // Without Kafka these wait for it without end, which a stop must not.
    await abortable(this.#admin.connect(), signal);
    const topics = await abortable(this.#topics(), signal);
    const kept = new CheckpointTopic({ list: this.#list, topic: checkpointTopic, base, logger });
    await abortable(kept.remember(), signal);
    const end = (): Promise<bigint> => topics.endOf(checkpointTopic);
    this.#before = await abortable(end(), signal);
    const signals = this.#signals(topics);
    const topicWatch = new TopicWatch(async () => {
      await kept.look(publisher);
      await signals.look();
      await topics.look();
    }, this.#options.topicLookMs);
    const onTopicInDoubt = (): void => topicWatch.soon();
    const sender = await KafkaTransactionSender.connect(kafka, producerName(this.#options.prefix, source), { signal, onTopicInDoubt });
    this.#sender = sender;
    const publisher = new Publisher(sender, (records) => this.#remember(records));
    const announce = async (...messages: CheckpointMessage[]): Promise<void> => {
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages }] });
      await publisher.flush();
    };
    const claiming = claimCheckpoint(kafka, location, this.#id, announce, { signal, base, logger });
    const checkpoint = await abortable(claiming, signal);
    topics.remember(checkpoint.topics);
    const baseKeeper = new BaseKeeper({ kafka, end, publisher, base, location, logger });
    return { checkpoint, checkpointTopic, topics, topicWatch, publisher, baseKeeper, signals, announce };
  }

  /** Why the session failed: the error itself, or what it means where Kafka says only that it takes nothing more. */
  explain(error: unknown, signal: AbortSignal): Promise<unknown> {
    const from = this.#base.from !== undefined && this.#base.from > this.#before ? this.#base.from : this.#before;
    const own = { kafka: this.#deps.kafka, location: this.#location, session: this.#id, from, timeoutMs: this.#sender?.timeoutMs ?? 0 };
    return explainFencing(error, own, signal);
  }

  async release(): Promise<void> {
    this.#list.close();
    await Promise.allSettled([this.#sender?.close(), this.#admin.disconnect()]);
  }

  async #topics(): Promise<KafkaTopics> {
    const { kafka, subjects, advice, onTopicsMade: onMade } = this.#deps;
    const clients = { admin: this.#admin, list: this.#list, brokers: kafka.brokers };
    const topics = new KafkaTopics(clients, this.#options, { subjects, advice, onMade });
    await topics.ensureTopic(this.#location.topic, 1, CHECKPOINT_LIMITS);
    await topics.ensureLog(signalsTopicName(this.#options.prefix), SIGNALS);
    return topics;
  }

  #signals(topics: KafkaTopics): SignalTopic {
    const { kafka, logger } = this.#deps;
    const topic = signalsTopicName(this.#options.prefix);
    const read: ReadSignals = (from, take, signal) => readSignals(kafka, topic, from, take, signal);
    return new SignalTopic({ topic, list: this.#list, end: () => topics.endOf(topic), read, logger });
  }

  #remember(records: readonly TopicRecords[]): void {
    for (const { topic, messages } of records) {
      if (topic !== this.#location.topic) continue;
      for (const { key, value } of messages) this.#base.take(String(key), value);
    }
  }
}
