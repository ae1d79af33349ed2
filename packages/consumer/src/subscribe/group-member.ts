// A member of a consumer group: joins, is given partitions, says that it lives, gives partitions back, leaves. It reads nothing. One process is one member:
// there is one loop, which ends only when the member has left, and what an earlier generation was given is known by its number.
// https://kafka.apache.org/protocol#The_Messages_JoinGroup, https://cwiki.apache.org/confluence/display/KAFKA/KIP-429 (a member keeps what it reads while it
// joins again, and gives back only what it is not given any more).
import {
  abortable,
  type Broker,
  type BrokerConnections,
  BrokerRefusal,
  type BrokerRequest,
  commitOffsets,
  ERROR,
  findCoordinator,
  heartbeat,
  joinGroup,
  type Logger,
  leaveGroup,
  type Member,
  sleep,
  syncGroup,
  TailwaterError,
} from '@tailwater/runtime';
import type { TargetMark } from '../target-mark.js';
import { type AssignedMember, assign, strangersAmong } from './assignor.js';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-protocol.js';
import { OutOfContactError, outOfContact } from './out-of-contact.js';
import type { CommitOutcome, PartitionOffset, TopicPartition } from './subscription.js';

const PROTOCOL = 'tailwater-cooperative';

export interface GroupMemberOptions {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  /** How long the group waits for a member that has to give partitions back before it joins. */
  readonly rebalanceTimeoutMs: number;
  /** Where this process applies changes to, and how people know it: a group has one target. */
  readonly target?: { readonly mark: TargetMark; readonly address: string };
}

/** What the member is a member for. */
export interface Memberships {
  /** The topics to subscribe to, looked up anew. */
  topics(): Promise<readonly string[]>;
  /** How many partitions each topic has, looked up anew: for the leader. */
  partitions(): Promise<ReadonlyMap<string, number>>;
  /** What this process reads, or has not finished to give back. */
  owned(): readonly TopicPartition[];
  /**
   * The group has given this process exactly these partitions. Those that it had and that are not among them are given back when this resolves.
   *
   * @returns whether something was given back, or could not be taken: the member then joins again, so that another gets it
   */
  assigned(partitions: readonly TopicPartition[]): Promise<boolean>;
  /** Others may read what this process read: it stops at once, and commits nothing. */
  lost(): Promise<void>;
}

export interface MembershipState {
  /** Whether the process is a member, and has been given what it reads. */
  readonly isMember: boolean;
  /** Since when that has been so, or has not, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  /** Whether it shares the partitions out. */
  readonly isLeader: boolean;
  /** Generations that this process has been in. */
  readonly rebalances: number;
}

/** Another broker coordinates, or will in a moment. */
export const COORDINATOR_ERRORS: ReadonlySet<number> = new Set([
  ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  ERROR.COORDINATOR_NOT_AVAILABLE,
  ERROR.NOT_COORDINATOR,
]);
/** What waiting does not cure. */
const FATAL: ReadonlySet<number> = new Set([
  ERROR.GROUP_AUTHORIZATION_FAILED,
  ERROR.TOPIC_AUTHORIZATION_FAILED,
  ERROR.INVALID_GROUP_ID,
  ERROR.INVALID_SESSION_TIMEOUT,
  ERROR.GROUP_MAX_SIZE_REACHED,
]);
/** The group has moved on, or is moving on: what was to be committed is the next owner's to commit. */
const REFUSED: ReadonlySet<number> = new Set([ERROR.ILLEGAL_GENERATION, ERROR.UNKNOWN_MEMBER_ID, ERROR.REBALANCE_IN_PROGRESS]);
const PAUSE = { minMs: 100, maxMs: 2_000 };
/** Leaving must not keep a stopping process: a coordinator that is gone ends the membership by itself. */
const LEAVE_MS = 3_000;
const NO_GENERATION = -1;
/** A group whose members speak another protocol is told so often. */
const FOREIGN_LOG_MS = 60_000;

export class GroupMember {
  readonly #connections: BrokerConnections;
  /** Commits go over connections of their own: a request to join holds its connection until all have joined. */
  readonly #commits: BrokerConnections;
  readonly #options: GroupMemberOptions;
  readonly #memberships: Memberships;
  readonly #logger: Logger;
  #coordinator: number | undefined;
  #memberId = '';
  #generation = NO_GENERATION;
  #isMember = false;
  #sinceMs = performance.now();
  #isLeader = false;
  #rebalances = 0;
  /** When the last request was sent that the coordinator answered as a member's. */
  #contactMs = 0;
  #rejoin = true;
  #wake: () => void = () => undefined;
  #foreignToldMs = Number.NEGATIVE_INFINITY;

  constructor(
    connections: { readonly member: BrokerConnections; readonly commits: BrokerConnections },
    options: GroupMemberOptions,
    memberships: Memberships,
    logger: Logger,
  ) {
    this.#connections = connections.member;
    this.#commits = connections.commits;
    this.#options = options;
    this.#memberships = memberships;
    this.#logger = logger;
  }

  get state(): MembershipState {
    return { isMember: this.#isMember, sinceMs: this.#sinceMs, isLeader: this.#isLeader, rebalances: this.#rebalances };
  }

  /** The topics have changed: all members are asked to join again. */
  rejoin(): void {
    this.#rejoin = true;
    this.#wake();
  }

  /** Runs until the signal aborts; the caller gives everything back before it {@link leave}s. Rejects when the group refuses this process for good. */
  async run(signal: AbortSignal): Promise<void> {
    let pauseMs = PAUSE.minMs;
    while (!signal.aborted) {
      try {
        const coordinator = await abortable(this.#coordinatorBroker(), signal);
        if (this.#rejoin) await this.#join(coordinator, signal);
        else await this.#beat(coordinator);
        pauseMs = PAUSE.minMs;
        if (!this.#rejoin) await this.#interval(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#failed(error);
        await sleep(pauseMs, signal);
        pauseMs = Math.min(PAUSE.maxMs, pauseMs * 2);
      }
    }
  }

  /** @throws what keeps the coordinator from answering; the caller tries again */
  async commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome> {
    const { groupId } = this.#options;
    if (this.#generation === NO_GENERATION || this.#coordinator === undefined) return 'refused';
    const member = { groupId, generation: this.#generation, memberId: this.#memberId };
    const broker = await this.#commits.node(this.#coordinator);
    try {
      await broker.send(commitOffsets(member, offsets));
      return 'committed';
    } catch (error) {
      if (error instanceof BrokerRefusal) {
        if (REFUSED.has(error.code)) return 'refused';
        if (COORDINATOR_ERRORS.has(error.code)) this.#coordinator = undefined;
      }
      throw error;
    }
  }

  /** Leaves the group, if it can be told; never rejects. */
  async leave(): Promise<void> {
    if (this.#memberId === '' || this.#coordinator === undefined) return;
    const { groupId } = this.#options;
    const leaving = this.#commits.node(this.#coordinator).then((broker) => broker.send(leaveGroup(groupId, this.#memberId)));
    this.#generation = NO_GENERATION;
    await Promise.race([leaving.catch(() => undefined), sleep(LEAVE_MS)]);
  }

  get #member(): Member {
    return { groupId: this.#options.groupId, generation: this.#generation, memberId: this.#memberId };
  }

  async #coordinatorBroker(): Promise<Broker> {
    if (this.#coordinator === undefined) {
      const asked = await this.#connections.any();
      const address = await asked.send(findCoordinator(this.#options.groupId));
      for (const connections of [this.#connections, this.#commits]) connections.know(address);
      this.#coordinator = address.nodeId;
    }
    return this.#connections.node(this.#coordinator);
  }

  async #join(coordinator: Broker, signal: AbortSignal): Promise<void> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs, target } = this.#options;
    const topics = await abortable(this.#memberships.topics(), signal);
    this.#rejoin = false;
    const metadata = encodeSubscription(topics, this.#memberships.owned(), this.#generation, target?.mark);
    const parameters = { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId: this.#memberId, protocol: PROTOCOL, metadata };
    let rejoin = true;
    try {
      const answer = await this.#answerTo(joinGroup(parameters), coordinator, signal);
      if (answer.error === ERROR.MEMBER_ID_REQUIRED) {
        this.#memberId = answer.memberId;
        return;
      }
      if (answer.error !== ERROR.NONE) throw new BrokerRefusal(answer.error, 'JoinGroup');
      this.#memberId = answer.memberId;
      this.#contactMs = performance.now();
      const member = { groupId, generation: answer.generation, memberId: answer.memberId };
      this.#isLeader = answer.leaderId === answer.memberId;
      const shares = this.#isLeader
        ? await abortable(this.#shares(answer.members.map((each) => decodeSubscription(each.memberId, each.metadata))), signal)
        : [];
      const answered = await this.#answerTo(syncGroup(member, shares, rebalanceTimeoutMs), coordinator, signal);
      const { partitions: given, isStranger } = decodeAssignment(answered);
      if (isStranger) throw new TailwaterError('TW1315', { group: groupId, address: target?.address ?? '' });
      this.#generation = answer.generation;
      this.#contactMs = performance.now();
      this.#rebalances += 1;
      this.#logger.debug({ generation: answer.generation, isLeader: this.#isLeader, partitions: given.length }, 'Joined the group');
      rejoin = await this.#take(given, coordinator, signal);
      this.#becomeMember(true);
    } finally {
      // Whatever went wrong, and an id that was only given: once more.
      this.#rejoin ||= rejoin;
    }
  }

  /** An answer that may take as long as other members do: meanwhile the coordinator is asked beside it whether it is there. */
  async #answerTo<T>(request: BrokerRequest<T>, coordinator: Broker, signal: AbortSignal): Promise<T> {
    const done = new AbortController();
    const sent = coordinator.send(request).finally(() => done.abort());
    const contact = {
      lastMs: this.#generation === NO_GENERATION ? performance.now() : this.#contactMs,
      limitMs: this.#options.sessionTimeoutMs,
      probe: async () => {
        const sentMs = performance.now();
        const beside = await this.#commits.node(this.#coordinator as number);
        await beside.send(heartbeat(this.#member)).catch((error) => {
          if (!(error instanceof BrokerRefusal) || COORDINATOR_ERRORS.has(error.code)) throw error;
        });
        this.#contactMs = sentMs;
      },
    };
    try {
      return await abortable(Promise.race([sent, outOfContact(contact, done.signal)]), signal);
    } catch (error) {
      if (error instanceof OutOfContactError) this.#connections.drop(coordinator);
      throw error;
    } finally {
      done.abort();
    }
  }

  async #shares(members: readonly AssignedMember[]): Promise<{ memberId: string; assignment: Buffer }[]> {
    const strangers = strangersAmong(members, this.#memberId);
    const readers = members.filter(({ memberId }) => !strangers.has(memberId));
    const shares = assign(readers, await this.#memberships.partitions());
    return [
      ...[...shares].map(([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) })),
      ...[...strangers].map((memberId) => ({ memberId, assignment: encodeAssignment([], true) })),
    ];
  }

  /** Takes and gives back, which may last as long as a slow target's last answer; the group is told meanwhile that this process lives. */
  async #take(given: readonly TopicPartition[], coordinator: Broker, signal: AbortSignal): Promise<boolean> {
    const taking = this.#memberships.assigned(given);
    taking.catch(() => undefined);
    const done = new AbortController();
    void taking.finally(() => done.abort()).catch(() => undefined);
    while (!done.signal.aborted && !signal.aborted) {
      await sleep(this.#options.sessionTimeoutMs / 10, done.signal);
      if (done.signal.aborted || signal.aborted) break;
      try {
        await coordinator.send(heartbeat(this.#member));
        this.#contactMs = performance.now();
      } catch (error) {
        // What is still being taken goes on, and counts no more once the membership is lost.
        if (!(error instanceof BrokerRefusal && error.code === ERROR.REBALANCE_IN_PROGRESS)) throw error;
        this.#contactMs = performance.now();
        this.#rejoin = true;
      }
    }
    return taking;
  }

  async #beat(coordinator: Broker): Promise<void> {
    const sentMs = performance.now();
    await coordinator.send(heartbeat(this.#member));
    this.#contactMs = sentMs;
  }

  async #interval(signal: AbortSignal): Promise<void> {
    // One listener that is taken away again: combined signals would pile up over months.
    const woken = new AbortController();
    const wake = () => woken.abort();
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    if (!this.#rejoin) await sleep(this.#options.sessionTimeoutMs / 10, woken.signal);
    signal.removeEventListener('abort', wake);
    this.#wake = () => undefined;
  }

  /** @throws the error when waiting does not cure it */
  async #failed(error: unknown): Promise<void> {
    if (error instanceof BrokerRefusal) {
      if (FATAL.has(error.code)) throw error;
      this.#logger.debug({ err: error }, 'The coordinator of the group refuses');
      if (error.code === ERROR.REBALANCE_IN_PROGRESS) {
        this.#contactMs = performance.now();
        this.#rejoin = true;
      } else if (COORDINATOR_ERRORS.has(error.code)) this.#coordinator = undefined;
      else {
        if (error.code === ERROR.INCONSISTENT_GROUP_PROTOCOL) this.#tellForeign();
        await this.#lose(error.code === ERROR.UNKNOWN_MEMBER_ID);
      }
    } else {
      if ((error as { readonly retriable?: unknown }).retriable !== true) throw error;
      this.#logger.debug({ err: error }, 'The coordinator of the group does not answer');
      this.#coordinator = undefined;
    }
    // By now the coordinator has given up on this process, and given its partitions to others.
    if (this.#generation !== NO_GENERATION && performance.now() - this.#contactMs > this.#options.sessionTimeoutMs) await this.#lose(false);
  }

  async #lose(forgotten: boolean): Promise<void> {
    if (forgotten) this.#memberId = '';
    this.#rejoin = true;
    this.#generation = NO_GENERATION;
    this.#isLeader = false;
    this.#becomeMember(false);
    await this.#memberships.lost();
  }

  #becomeMember(isMember: boolean): void {
    if (this.#isMember === isMember) return;
    this.#isMember = isMember;
    this.#sinceMs = performance.now();
  }

  #tellForeign(): void {
    if (performance.now() - this.#foreignToldMs < FOREIGN_LOG_MS) return;
    this.#foreignToldMs = performance.now();
    const { groupId } = this.#options;
    this.#logger.warn(`The group ${groupId} has members of another program or release: waiting until they have left. Stop them to go on`);
  }
}
