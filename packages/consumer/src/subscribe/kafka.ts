// The subscription: a member of the group, the topics of the prefix, and the reading of what the group has given this process. Which offset is read next, by
// whom and since when, is decided here; kafkajs only connects (docs/adr/0024-own-group-membership.md).
import {
  askCoordinator,
  BrokerConnections,
  describeGroup,
  type KafkaClient,
  type Logger,
  onAbort,
  systemClock,
  toKafkaError,
} from '@tailwater/runtime';
import { DeniedTopics } from './denied-topics.js';
import type { ReadingPoint } from './epoch-history.js';
import { Fetcher } from './fetcher.js';
import { GroupElsewhere } from './group-elsewhere.js';
import { GroupMember, type Memberships } from './group-member.js';
import { GroupOffsets } from './group-offsets.js';
import type { TopicFilter } from './kafka-topics.js';
import { Leaderless } from './leaderless.js';
import { PendingPartitions } from './pending-partitions.js';
import {
  type CommitOutcome,
  type GroupPartitionOffsets,
  type GroupView,
  type PartitionOffset,
  partitionName,
  type Subscription,
  type SubscriptionListener,
  type TopicPartition,
} from './subscription.js';
import type { TargetMark } from './target-mark.js';
import { TopicCatalog } from './topic-catalog.js';
import { TopicWatch } from './topic-watch.js';

export interface KafkaSubscriptionOptions {
  readonly groupId: string;
  /** After so many milliseconds without a heartbeat the group gives a member's partitions to others. */
  readonly sessionTimeoutMs: number;
  /** A fetch asks for no more bytes than this, over all partitions; a larger single record still comes. */
  readonly fetchBytes: number;
  readonly filter: TopicFilter;
  /** Milliseconds between two looks at the list of topics. */
  readonly topicPollMs: number;
  /** Where changes are applied to, and how people know it. */
  readonly target?: { readonly mark: TargetMark; readonly address: string };
}

/** The least time, in milliseconds, that a group waits for its members to give partitions back. */
const REBALANCE_MS = 60_000;

export class KafkaSubscription implements Subscription, Memberships {
  readonly #brokers: string;
  readonly #options: KafkaSubscriptionOptions;
  readonly #logger: Logger;
  readonly #connections: Readonly<Record<'member' | 'offsets' | 'fetch', BrokerConnections>>;
  readonly #catalog: TopicCatalog;
  readonly #pending: PendingPartitions;
  readonly #leaderless: Leaderless;
  readonly #denied: DeniedTopics;
  readonly #elsewhere: GroupElsewhere;
  readonly #member: GroupMember;
  readonly #watch: TopicWatch;
  readonly #owned = new Map<string, TopicPartition>();
  #fetcher: Fetcher | undefined;
  #listener: SubscriptionListener | undefined;
  #signal = new AbortController().signal;
  /** Grows when everything was given up: what was still being given back then counts no more. */
  #round = 0;
  /** Grows with each claim of what is owned, too: what has not begun by then is not claimed, and may be given to another. */
  #claims = 0;
  #taking: Promise<unknown> = Promise.resolve();

  constructor(kafka: KafkaClient, options: KafkaSubscriptionOptions, logger: Logger) {
    this.#brokers = kafka.brokers;
    this.#options = options;
    this.#logger = logger;
    const connections = {
      member: new BrokerConnections(kafka),
      offsets: new BrokerConnections(kafka),
      fetch: new BrokerConnections(kafka),
    };
    this.#connections = connections;
    this.#catalog = new TopicCatalog([connections.offsets, connections.fetch], options.filter);
    const offsets = new GroupOffsets(connections.offsets, this.#catalog, options.groupId);
    this.#pending = new PendingPartitions({ offsets, catalog: this.#catalog, logger }, this.#begin);
    const isOwned = (each: TopicPartition) => this.#owned.has(partitionName(each));
    this.#leaderless = new Leaderless(
      { catalog: this.#catalog, clock: systemClock, logger },
      { brokers: kafka.brokers, isOurs: (each) => isOwned(each) || this.#pending.has(each) },
    );
    this.#denied = new DeniedTopics(kafka.brokers, systemClock, logger);
    const describe = (signal: AbortSignal) => askCoordinator(connections.offsets, options.groupId, describeGroup(options.groupId), signal);
    this.#elsewhere = new GroupElsewhere({ offsets, catalog: this.#catalog, isOwned, describe, clock: systemClock });
    this.#member = new GroupMember(
      { member: connections.member, commits: connections.offsets },
      {
        groupId: options.groupId,
        sessionTimeoutMs: options.sessionTimeoutMs,
        rebalanceTimeoutMs: Math.max(REBALANCE_MS, options.sessionTimeoutMs),
        ...(options.target === undefined ? {} : { target: options.target }),
      },
      this,
      logger,
    );
    this.#watch = new TopicWatch(
      this.#catalog,
      {
        intervalMs: options.topicPollMs,
        isLeader: () => this.#member.state.isLeader,
        onChange: (change) => {
          logger.info({ ...change }, 'The topics of the prefix changed: the group reassigns them');
          this.#member.rejoin();
        },
        onRenewed: (topics) => this.#forget(topics),
      },
      logger,
    );
  }

  get group(): GroupView {
    const { isMember, sinceMs, rebalances } = this.#member.state;
    const lateAnswers = this.#fetcher?.dropped ?? 0;
    const { view: elsewhere, nobodys } = this.#elsewhere;
    const [leaderless, late] = [this.#leaderless.view, this.#pending.late];
    return { isMember, sinceMs, rebalances, lateAnswers, elsewhere, nobodys, leaderless, denied: this.#denied.view, late };
  }

  /** @throws TailwaterError when the group cannot be joined or read for a reason that waiting does not cure */
  async run(signal: AbortSignal, listener: SubscriptionListener): Promise<void> {
    const stop = new AbortController();
    const stopListening = onAbort(signal, () => stop.abort());
    this.#signal = stop.signal;
    this.#listener = listener;
    const fetcher = new Fetcher(
      { connections: this.#connections.fetch, catalog: this.#catalog, listener, denied: this.#denied, logger: this.#logger },
      this.#options,
    );
    this.#fetcher = fetcher;
    const running = [this.#member, fetcher, this.#watch, this.#elsewhere].map((each) => each.run(stop.signal));
    try {
      // The first that fails ends all; none of them ends by itself.
      await Promise.all(running);
    } catch (error) {
      throw toKafkaError(error, this.#brokers);
    } finally {
      stopListening();
      stop.abort();
      await Promise.allSettled(running);
      // Also after a failure: lanes are released before the group gives the partitions to others.
      await listener.release();
      this.#owned.clear();
      await this.#member.leave();
      for (const connections of Object.values(this.#connections)) connections.close();
    }
  }

  held(signal: AbortSignal): Promise<void> {
    return this.#member.held(signal);
  }

  get isHeld(): boolean {
    return this.#member.isHeld;
  }

  commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome> {
    return this.#member.commit(offsets);
  }

  topics(): Promise<readonly string[]> {
    return this.#watch.look();
  }

  async partitions(): Promise<ReadonlyMap<string, number>> {
    await this.#catalog.refresh();
    return new Map([...this.#catalog.topics].map(([topic, { leaders }]) => [topic, leaders.length]));
  }

  owned(): readonly TopicPartition[] {
    this.#claims += 1;
    this.#pending.cancel();
    return [...this.#owned.values()];
  }

  /** One after the other: a member whose heartbeat was not answered joins again while it still takes what it was given before. */
  assigned(partitions: readonly TopicPartition[]): Promise<boolean> {
    const claims = this.#claims;
    const taking = this.#taking.then(() => this.#take(partitions, claims));
    this.#taking = taking.catch(() => undefined);
    return taking;
  }

  async #take(partitions: readonly TopicPartition[], claims: number): Promise<boolean> {
    const given = new Map(partitions.map((each) => [partitionName(each), each]));
    const removed = [...this.#owned].filter(([name]) => !given.has(name)).map(([, each]) => each);
    if (removed.length > 0 && !(await this.#giveBack(removed))) return true;
    // The group has been asked anew meanwhile, and did not hear that this process has these.
    if (claims !== this.#claims) return true;
    const added = [...given].filter(([name]) => !this.#owned.has(name)).map(([, each]) => each);
    if (added.length > 0) await this.#pending.begin(added, this.#signal);
    const topics = new Set(partitions.map(({ topic }) => topic));
    if (added.length > 0 || removed.length > 0) this.#logger.info({ partitions: given.size, topics: topics.size }, 'Partitions assigned');
    return removed.length > 0;
  }

  async lost(): Promise<void> {
    this.#round += 1;
    this.#claims += 1;
    this.#pending.cancel();
    this.#fetcher?.clear();
    this.#owned.clear();
    await this.#listener?.lose();
  }

  /** @returns false when everything had to be given up */
  async #giveBack(partitions: readonly TopicPartition[]): Promise<boolean> {
    const round = this.#round;
    this.#fetcher?.remove(partitions);
    const isAlone = await this.#listener?.release(partitions);
    if (round !== this.#round) return false;
    if (isAlone === false) {
      this.#fetcher?.clear();
      this.#owned.clear();
      return false;
    }
    for (const each of partitions) this.#owned.delete(partitionName(each));
    return true;
  }

  /** Reads on where the group stands. */
  readonly #begin = (groupOffsets: readonly GroupPartitionOffsets[]): void => {
    for (const { topic, partition } of groupOffsets) this.#owned.set(partitionName({ topic, partition }), { topic, partition });
    const starts = this.#listener?.assign(groupOffsets) ?? [];
    this.#fetcher?.add(
      groupOffsets.map(({ topic, partition, topicId }, index) => ({ topic, partition, topicId, ...(starts[index] as ReadingPoint) })),
    );
  };

  /** What this process has read of a topic that was made anew is of the one before: it is given to the group's next round, and begun again. */
  #forget(topics: readonly string[]): void {
    // Where the group stands may be known in a moment, of the topic before; it is asked again in the next round.
    this.#pending.cancel();
    const stale = [...this.#owned.values()].filter(({ topic }) => topics.includes(topic));
    this.#fetcher?.remove(stale);
    for (const each of stale) this.#owned.delete(partitionName(each));
    this.#listener?.lose(stale).catch((error) => this.#logger.debug({ err: error }, 'Partitions could not be released'));
  }
}
