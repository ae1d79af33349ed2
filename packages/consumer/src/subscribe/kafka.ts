// The subscription on kafkajs: one session of the group after another, a new one whenever the set of topics changes.
import { type KafkaClient, type Logger, sleep } from '@tailwater/runtime';
import type { Admin } from 'kafkajs';
import { protocolErrorOf } from './kafka-protocol-error.js';
import { KafkaSession, type SessionOptions } from './kafka-session.js';
import { readStanding } from './kafka-standing.js';
import { includedTopics, type TopicFilter, topicsOtherThan } from './kafka-topics.js';
import { orAborted } from './or-aborted.js';
import type {
  CommitOutcome,
  PartitionOffset,
  PartitionStanding,
  Subscription,
  SubscriptionListener,
  TopicPartition,
} from './subscription.js';

const COORDINATOR_PAUSE_MS = 100;

export interface KafkaSubscriptionOptions extends SessionOptions {
  readonly filter: TopicFilter;
  /** Milliseconds between two looks at the list of topics. */
  readonly topicPollMs: number;
}

export class KafkaSubscription implements Subscription {
  readonly #kafka: KafkaClient;
  readonly #options: KafkaSubscriptionOptions;
  readonly #logger: Logger;
  #session: KafkaSession | undefined;
  #admin: Admin | undefined;

  constructor(kafka: KafkaClient, options: KafkaSubscriptionOptions, logger: Logger) {
    this.#kafka = kafka;
    this.#options = options;
    this.#logger = logger;
  }

  /** @throws TailwaterError when the group cannot be joined or read for a reason that waiting does not cure */
  async run(signal: AbortSignal, listener: SubscriptionListener): Promise<void> {
    const admin = this.#kafka.admin();
    this.#admin = admin;
    try {
      await orAborted(admin.connect(), signal);
      let topics = await this.#firstTopics(admin, signal);
      while (!signal.aborted) topics = await this.#read(topics, admin, signal, listener);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await Promise.race([admin.disconnect().catch(() => undefined), sleep(2_000)]);
    }
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome> {
    return this.#session === undefined ? 'refused' : this.#session.commit(offsets);
  }

  async standing(partitions: readonly TopicPartition[]): Promise<readonly PartitionStanding[]> {
    if (this.#admin === undefined) throw new TypeError('The subscription does not run');
    return readStanding(this.#admin, this.#options.groupId, partitions);
  }

  async #firstTopics(admin: Admin, signal: AbortSignal): Promise<string[]> {
    const { filter } = this.#options;
    const topics = includedTopics(await orAborted(admin.listTopics(), signal), filter);
    if (topics.length > 0) return topics;
    this.#logger.info(`No topic of prefix ${filter.prefix} to read yet: waiting for the producer to create one`);
    return this.#otherTopics([], admin, signal);
  }

  #otherTopics(known: readonly string[], admin: Admin, signal: AbortSignal): Promise<string[]> {
    return topicsOtherThan(known, admin, this.#options.filter, { intervalMs: this.#options.topicPollMs, signal });
  }

  /** Reads these topics until the set changes, and answers with the new set; an empty set waits for topics. */
  async #read(topics: string[], admin: Admin, signal: AbortSignal, listener: SubscriptionListener): Promise<string[]> {
    if (topics.length === 0) return this.#otherTopics([], admin, signal);
    await this.#coordinatorLoaded(topics, admin, signal);
    const done = new AbortController();
    const stop = AbortSignal.any([signal, done.signal]);
    const session = new KafkaSession(this.#kafka, topics, this.#options);
    this.#session = session;
    const reading = session.run(stop, listener).finally(() => done.abort());
    const watching = this.#otherTopics(topics, admin, stop).finally(() => done.abort());
    const [read, watched] = await Promise.allSettled([reading, watching]);
    this.#session = undefined;
    if (read.status === 'rejected') throw read.reason;
    if (watched.status === 'rejected') throw watched.reason;
    this.#logger.info(
      { added: watched.value.filter((topic) => !topics.includes(topic)) },
      'The topics of the prefix changed: subscribing again',
    );
    return watched.value;
  }

  /** Until a broker that has just started knows its groups; joining before, kafkajs would crash and start again. */
  async #coordinatorLoaded(topics: readonly string[], admin: Admin, signal: AbortSignal): Promise<void> {
    const { groupId } = this.#options;
    while (!signal.aborted) {
      try {
        await orAborted(admin.fetchOffsets({ groupId, topics: topics.slice(0, 1) }), signal);
        return;
      } catch (error) {
        if (protocolErrorOf(error) !== 'GROUP_LOAD_IN_PROGRESS') return; // Whatever else is wrong, joining will tell.
      }
      await sleep(COORDINATOR_PAUSE_MS, signal);
    }
  }
}
