// The election through the consumer group `<prefix>.producer.<source>`: the checkpoint topic has one partition, and whoever it
// is assigned to leads. Nothing is read from it. A member that gives no sign of life for the session timeout loses it.
import {
  abortable,
  createKafka,
  type KafkaClient,
  type Logger,
  PATIENT_RETRY,
  sleep,
  TailwaterError,
  toKafkaError,
  woken,
} from '@tailwater/runtime';
import type { Consumer } from 'kafkajs';
import type { Election } from './election.js';
import { leadAssigner } from './kafka-lead-assigner.js';
import { isGhost, memberName, ownIdentity } from './process-identity.js';

/** How often the group is asked, in milliseconds: a standby hears of a hand-over at the next answer. */
const HEARTBEAT_MS = 500;
const POLL_MS = 200;
/** How long the group waits for its members when one joins or leaves, in milliseconds. */
const REBALANCE_TIMEOUT_MS = 30_000;
/** Leaving must not keep a stopping process: when the broker is away, the session ends by itself. */
const LEAVE_TIMEOUT_MS = 3000;
/** One answer may have been asked for before the question, and lain unread while the process was frozen. Not two. */
const ANSWERS = 2;

export interface ElectionOptions {
  /** The checkpoint topic, which must exist. */
  readonly topic: string;
  readonly groupId: string;
  /** After so many milliseconds without a sign of life the lead goes to another. */
  readonly sessionTimeoutMs: number;
}

export class KafkaElection implements Election {
  readonly #kafka: KafkaClient;
  readonly #options: ElectionOptions;
  readonly #consumer: Consumer;
  readonly #identity = ownIdentity();
  /** Aborted when the lead is lost; undefined while it is not held. */
  #lead: AbortController | undefined;
  #leadingSinceMs: number | null = null;
  /** Whether another one leads; undefined before the first answer. */
  #standby: boolean | undefined;
  #answers = 0;
  #isLeaving = false;
  #waiting: (() => void)[] = [];

  constructor(kafka: KafkaClient, options: ElectionOptions, logger: Logger) {
    this.#kafka = createKafka({ ...kafka.connection, clientId: memberName(this.#identity) }, logger);
    this.#options = options;
    this.#consumer = this.#kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, options.sessionTimeoutMs),
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: POLL_MS,
      allowAutoTopicCreation: false,
      retry: PATIENT_RETRY,
      partitionAssigners: [
        leadAssigner(options.topic, () => ({ leadingSinceMs: this.#leadingSinceMs, startedAtMs: this.#identity.startedAtMs })),
      ],
    });
  }

  /** @throws TailwaterError TW1150 when the broker does not allow the session timeout, or whatever keeps it from the group for good */
  async run(signal: AbortSignal): Promise<void> {
    const crashed = new Promise<never>((_, reject) => this.#listen(reject));
    let end = (): void => {};
    const ended = woken(signal, (wake) => {
      end = wake;
    });
    const stopped = Promise.race([ended, crashed]);
    stopped.catch(() => {}); // Awaited below; a crash while joining must not count as unhandled before.
    try {
      // A group that nobody is in has no leader, and makes its first member wait for others (by default 3 s): begin meanwhile.
      if (await abortable(this.#isUnopposed(), signal)) this.#take();
      await Promise.race([this.#join(), stopped]);
      await stopped;
    } catch (error) {
      if (!signal.aborted) throw this.#coded(error);
    } finally {
      end();
      this.#isLeaving = true;
      await Promise.race([this.#consumer.disconnect().catch(() => {}), sleep(LEAVE_TIMEOUT_MS)]);
    }
  }

  async elected(signal: AbortSignal, onStandby: () => void): Promise<AbortSignal> {
    // The first lead was just given, or taken because nobody else is there.
    const needed = this.#answers === 0 ? 1 : this.#answers + ANSWERS;
    for (let told = false; ; ) {
      if (this.#lead !== undefined && this.#answers >= needed) return this.#lead.signal;
      if (this.#standby === true && !told) {
        told = true;
        onStandby();
      }
      await abortable(new Promise<void>((resolve) => this.#waiting.push(resolve)), signal);
    }
  }

  fenced(): void {
    this.#leadingSinceMs = null;
  }

  #listen(fail: (error: unknown) => void): void {
    const { topic } = this.#options;
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      // A join that was under way, or a restart that was due, when the consumer was told to leave: it would lead without working.
      if (this.#isLeaving) return void this.#consumer.disconnect().catch(() => {});
      // The assignment is all that is wanted of the topic.
      this.#consumer.pause([{ topic }]);
      if (payload.memberAssignment[topic]?.includes(0)) this.#take();
      else this.#release();
    });
    this.#consumer.on(events.HEARTBEAT, () => this.#answered(1));
    this.#consumer.on(events.CRASH, ({ payload }) => {
      // From what passes, such as a coordinator that is loading, kafkajs starts again by itself.
      if (!payload.restart) fail(payload.error);
    });
  }

  async #join(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [this.#options.topic] });
    await this.#consumer.run({ autoCommit: false, eachBatch: async () => {} });
  }

  #take(): void {
    this.#standby = false;
    if (this.#lead === undefined) {
      this.#lead = new AbortController();
      this.#leadingSinceMs = Date.now();
    }
    this.#answered(ANSWERS);
  }

  #release(): void {
    this.#standby = true;
    this.#leadingSinceMs = null;
    this.#lead?.abort(new Error('Another producer leads'));
    this.#lead = undefined;
    this.#answered(ANSWERS);
  }

  #answered(times: number): void {
    this.#answers += times;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Whether the group has no member that may be alive. Where that cannot be told, joining will. */
  async #isUnopposed(): Promise<boolean> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const { groups } = await admin.describeGroups([this.#options.groupId]);
      return groups.every(({ members }) => members.every(({ clientId }) => isGhost(clientId, this.#identity)));
    } catch {
      return false;
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  #coded(error: unknown): unknown {
    for (let each = error; each instanceof Error; each = each.cause) {
      if ('type' in each && each.type === 'INVALID_SESSION_TIMEOUT') {
        const { groupId, sessionTimeoutMs } = this.#options;
        return new TailwaterError(
          'TW1150',
          { brokers: this.#kafka.brokers, group: groupId, seconds: sessionTimeoutMs / 1000 },
          { cause: error },
        );
      }
    }
    return toKafkaError(error, this.#kafka.brokers);
  }
}
