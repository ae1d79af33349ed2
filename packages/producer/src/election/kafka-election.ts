// The election through the consumer group `<prefix>.producer.<source>`: the checkpoint topic has one partition, and the member that it
// is assigned to leads. Nothing is read from it. A member that gives no sign of life for the session timeout loses it.
import {
  askCoordinator,
  BrokerConnections,
  BrokerRefusal,
  createKafka,
  describeGroup,
  ERROR,
  errorCodes,
  GroupMembership,
  type GroupProtocol,
  type KafkaClient,
  type Logger,
  type MemberAssignment,
  Notifier,
  TailwaterError,
  toKafkaError,
} from '@tailwater/runtime';
import type { Election } from './election.js';
import { assignLead, encodeClaim, holdsLead, LEAD_PROTOCOL } from './lead-protocol.js';
import { isDeadProcess, memberName, ownIdentity } from './process-identity.js';

/** How often the group is asked, in milliseconds: a standby hears of a hand-over at the next answer. */
const HEARTBEAT_MS = 500;
/** How long the group waits for its members when one joins or leaves, in milliseconds. */
const REBALANCE_TIMEOUT_MS = 30_000;
/** How long it is asked who is in the group before the first join, in milliseconds; joining tells of what keeps it from that. */
const LOOK_MS = 30_000;

export interface ElectionOptions {
  /** The checkpoint topic, which must exist. */
  readonly topic: string;
  readonly groupId: string;
  /** After so many milliseconds without a sign of life the lead goes to another. */
  readonly sessionTimeoutMs: number;
}

export class KafkaElection implements Election, GroupProtocol {
  readonly name = LEAD_PROTOCOL;
  readonly #brokers: string;
  readonly #options: ElectionOptions;
  readonly #connections: Readonly<Record<'member' | 'beside', BrokerConnections>>;
  readonly #membership: GroupMembership;
  readonly #identity = ownIdentity();
  /** Aborted when the lead is lost; undefined while it is not held. */
  #lead: AbortController | undefined;
  #leadingSinceMs: number | null = null;
  /** Whether another one leads; undefined before the first answer. */
  #standby: boolean | undefined;
  /** When the group was asked last, in milliseconds of the monotonic clock, of what it has answered; undefined before the first answer. */
  #askedMs: number | undefined;
  readonly #answered = new Notifier();

  constructor(kafka: KafkaClient, options: ElectionOptions, logger: Logger) {
    const client = createKafka({ ...kafka.connection, clientId: memberName(this.#identity) }, logger);
    this.#brokers = kafka.brokers;
    this.#options = options;
    this.#connections = { member: new BrokerConnections(client), beside: new BrokerConnections(client) };
    const { groupId, sessionTimeoutMs } = options;
    const rebalanceTimeoutMs = Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs);
    const timing = { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs: HEARTBEAT_MS };
    this.#membership = new GroupMembership(this.#connections, { groupId, ...timing }, this, logger);
  }

  /** @throws TailwaterError TW1150 when the broker does not allow the session timeout, or whatever keeps it from the group for good */
  async run(signal: AbortSignal): Promise<void> {
    try {
      // An empty group has no leader, and makes its first member wait for others (by default 3 s): begin meanwhile.
      const askedMs = performance.now();
      if (await this.#isUnopposed(signal)) this.#take(askedMs);
      await this.#membership.run(signal);
    } catch (error) {
      if (!signal.aborted) throw this.#coded(error);
    } finally {
      await this.#membership.leave();
      for (const connections of Object.values(this.#connections)) connections.close();
    }
  }

  async elected(signal: AbortSignal, onStandby: () => void): Promise<AbortSignal> {
    // The first answer counts for the first question, whichever was earlier: there is no lead yet that could have been lost.
    const sinceMs = this.#askedMs === undefined ? Number.NEGATIVE_INFINITY : performance.now();
    for (let told = false; ; ) {
      if (this.#lead !== undefined && this.#askedMs !== undefined && this.#askedMs >= sinceMs) return this.#lead.signal;
      if (this.#standby === true && !told) {
        told = true;
        onStandby();
      }
      await this.#answered.next(signal);
      signal.throwIfAborted();
    }
  }

  fenced(): void {
    this.#leadingSinceMs = null;
  }

  metadata(): Buffer {
    return encodeClaim(this.#options.topic, { leadingSinceMs: this.#leadingSinceMs, startedAtMs: this.#identity.startedAtMs });
  }

  async share(members: readonly { readonly memberId: string; readonly metadata: Buffer }[]): Promise<MemberAssignment[]> {
    return assignLead(this.#options.topic, members);
  }

  async given(assignment: Buffer, askedMs: number): Promise<boolean> {
    if (holdsLead(assignment)) this.#take(askedMs);
    else this.#release(askedMs);
    return false;
  }

  confirmed(askedMs: number): void {
    this.#askedMs = askedMs;
    this.#answered.notify();
  }

  /** Losing contact is not losing the lead: the group will say who leads. */
  async lost(): Promise<void> {}

  #take(askedMs: number): void {
    this.#standby = false;
    this.#lead ??= new AbortController();
    this.#leadingSinceMs ??= Date.now();
    this.confirmed(askedMs);
  }

  #release(askedMs: number): void {
    this.#standby = true;
    this.#leadingSinceMs = null;
    this.#lead?.abort(new Error('Another producer leads'));
    this.#lead = undefined;
    this.confirmed(askedMs);
  }

  /** Whether the group has no member that may be alive. Where that cannot be told, joining will. */
  async #isUnopposed(signal: AbortSignal): Promise<boolean> {
    const { groupId } = this.#options;
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
      const { members } = await askCoordinator(this.#connections.beside, groupId, describeGroup(groupId), soon);
      return members.every(({ clientId }) => isDeadProcess(clientId, this.#identity));
    } catch (error) {
      if (signal.aborted) throw error;
      return false;
    }
  }

  #coded(error: unknown): unknown {
    if (!(error instanceof BrokerRefusal) || error.code !== ERROR.INVALID_SESSION_TIMEOUT) return toKafkaError(error, this.#brokers);
    const { groupId: group, sessionTimeoutMs } = this.#options;
    return new TailwaterError(
      errorCodes.SESSION_TIMEOUT_REFUSED,
      { brokers: this.#brokers, group, seconds: sessionTimeoutMs / 1000 },
      { cause: error },
    );
  }
}
