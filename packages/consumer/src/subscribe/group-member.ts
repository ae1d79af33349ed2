// A member of a group of consumers: its protocol, cooperative as KIP-429 has it, over the membership that every group of ours has, and the group's offsets. It
// reads nothing. https://cwiki.apache.org/confluence/display/KAFKA/KIP-429 (a member keeps what it reads while it joins again, and gives back only what it is not
// given any more)
import {
  type BrokerConnections,
  BrokerRefusal,
  commitOffsets,
  ERROR,
  errorCodes,
  GroupMembership,
  type GroupProtocol,
  type Logger,
  type MemberAssignment,
  type MembershipState,
  TailwaterError,
} from '@tailwater/runtime';
import { assign, incompatibleMembers } from './assignor.js';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-protocol.js';
import type { CommitOutcome, PartitionOffset, TopicPartition } from './subscription.js';
import type { TargetMark } from './target-mark.js';

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

/** The group has moved on, or is moving on: what was to be committed is the next owner's to commit. */
const REFUSED: ReadonlySet<number> = new Set([ERROR.ILLEGAL_GENERATION, ERROR.UNKNOWN_MEMBER_ID, ERROR.REBALANCE_IN_PROGRESS]);

export class GroupMember implements GroupProtocol {
  readonly name = PROTOCOL;
  readonly #membership: GroupMembership;
  readonly #options: GroupMemberOptions;
  readonly #memberships: Memberships;
  #topics: readonly string[] = [];

  /** @param connections - those for `commits` are others: a request to join holds its connection until all have joined */
  constructor(
    connections: { readonly member: BrokerConnections; readonly commits: BrokerConnections },
    options: GroupMemberOptions,
    memberships: Memberships,
    logger: Logger,
  ) {
    this.#options = options;
    this.#memberships = memberships;
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs } = options;
    this.#membership = new GroupMembership(
      { member: connections.member, beside: connections.commits },
      { groupId, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs: sessionTimeoutMs / 10 },
      this,
      logger,
    );
  }

  get state(): MembershipState {
    return this.#membership.state;
  }

  /** Resolves while the group certainly keeps for this process what it gave, or when the signal aborts. */
  held(signal: AbortSignal): Promise<void> {
    return this.#membership.lease.held(signal);
  }

  get isHeld(): boolean {
    return this.#membership.lease.isHeld;
  }

  /** The topics have changed: all members are asked to join again. */
  rejoin(): void {
    this.#membership.rejoin();
  }

  /** Runs until the signal aborts; the caller gives everything back before it {@link leave}s. Rejects when the group refuses this process for good. */
  run(signal: AbortSignal): Promise<void> {
    return this.#membership.run(signal);
  }

  /** @throws what keeps the coordinator from answering; the caller tries again */
  async commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome> {
    const { member } = this.#membership;
    if (member === undefined) return 'refused';
    try {
      await this.#membership.ask(commitOffsets(member, offsets));
      return 'committed';
    } catch (error) {
      if (error instanceof BrokerRefusal && REFUSED.has(error.code)) return 'refused';
      throw error;
    }
  }

  /** Leaves the group, if it can be told; never rejects. */
  leave(): Promise<void> {
    return this.#membership.leave();
  }

  async prepare(): Promise<void> {
    this.#topics = await this.#memberships.topics();
  }

  metadata(generation: number): Buffer {
    return encodeSubscription(this.#topics, this.#memberships.owned(), generation, this.#options.target?.mark);
  }

  async share(said: readonly { readonly memberId: string; readonly metadata: Buffer }[], ownId: string): Promise<MemberAssignment[]> {
    const members = said.map(({ memberId, metadata }) => decodeSubscription(memberId, metadata));
    const strangers = incompatibleMembers(members, ownId);
    const readers = members.filter(({ memberId }) => !strangers.has(memberId));
    const shares = assign(readers, await this.#memberships.partitions());
    return [
      ...[...shares].map(([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) })),
      ...[...strangers].map((memberId) => ({ memberId, assignment: encodeAssignment([], true) })),
    ];
  }

  /** @throws TailwaterError TW1315 when the group applies to another target */
  async given(assignment: Buffer): Promise<boolean> {
    const { partitions, isStranger } = decodeAssignment(assignment);
    const { groupId, target } = this.#options;
    if (isStranger) throw new TailwaterError(errorCodes.OTHER_TARGET_IN_GROUP, { group: groupId, address: target?.address ?? '' });
    return this.#memberships.assigned(partitions);
  }

  lost(): Promise<void> {
    return this.#memberships.lost();
  }
}
