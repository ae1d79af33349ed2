// What a membership is told, asks of its user, and tells: how members of one group speak to each other, and what one is a member for, is the user's business.
import type { JoinAnswer, MemberAssignment } from '../protocol/group-requests.js';

export interface GroupMembershipOptions {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  /** How long the group waits for its members to join again, when one comes or goes. */
  readonly rebalanceTimeoutMs: number;
  /** How often the coordinator is told that this process lives: what others did is known at the next answer. */
  readonly heartbeatMs: number;
}

/** What members of the group say to each other, and what one is a member for. */
export interface GroupProtocol {
  readonly name: string;
  /** Called before each join: what {@link metadata} tells is looked up anew. */
  prepare?(): Promise<void>;
  /** What this member says of itself, and in which generation it was given what it has; negative for none. */
  metadata(generation: number): Buffer;
  /** For the group's leader: what each member is given. */
  share(members: JoinAnswer['members'], ownId: string): Promise<readonly MemberAssignment[]>;
  /**
   * The group gives this to this member. It joins again when that resolves to true, or another one comes or goes meanwhile.
   *
   * @param sentMs - when the group was asked, in milliseconds of the monotonic clock
   */
  given(assignment: Buffer, sentMs: number): Promise<boolean>;
  /** The coordinator holds to what it gave. */
  confirmed?(sentMs: number): void;
  /** The group may have given to others by now what it gave to this member, which is about to join again. */
  lost(): Promise<void>;
}

export interface MembershipState {
  /** Whether the process is a member, and has taken what it was given. */
  readonly isMember: boolean;
  /** Since when that has been so, or has not, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  /** Whether it says what each member is given. */
  readonly isLeader: boolean;
  /** Generations that this process has been in. */
  readonly rebalances: number;
}
