// The requests of a group's member and of its offsets: https://kafka.apache.org/protocol#protocol_api_keys
import type { BrokerAddress, BrokerRequest } from './broker-connections.js';
import { coordinatorOf, GROUP } from './coordinator-request.js';
import { ERROR, throwRefusal } from './error-codes.js';

/** The broker that coordinates the group. */
export const findCoordinator = (groupId: string): BrokerRequest<BrokerAddress> => coordinatorOf(groupId, GROUP);

export interface JoinParameters {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty for a member that is new. */
  readonly memberId: string;
  readonly protocol: string;
  readonly metadata: Buffer;
}

export interface JoinAnswer {
  readonly error: number;
  readonly generation: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** For the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[];
}

/** The broker answers when every member has joined, or had its time to. */
export const joinGroup = (join: JoinParameters): BrokerRequest<JoinAnswer> => ({
  name: 'JoinGroup',
  apiKey: 11,
  version: 5,
  waitMs: join.rebalanceTimeoutMs,
  write: (to) =>
    to
      .string(join.groupId)
      .int32(join.sessionTimeoutMs)
      .int32(join.rebalanceTimeoutMs)
      .string(join.memberId)
      .string(null)
      .string('consumer')
      .array([join], ({ protocol, metadata }) => to.string(protocol).blob(metadata)),
  read(from) {
    from.int32();
    const error = from.int16();
    const generation = from.int32();
    from.string();
    const leaderId = from.string() ?? '';
    const memberId = from.string() ?? '';
    const members = from.array(() => {
      const id = from.string() ?? '';
      from.string();
      return { memberId: id, metadata: from.blob() ?? Buffer.alloc(0) };
    });
    return { error, generation, leaderId, memberId, members };
  },
});

export interface Member {
  readonly groupId: string;
  readonly generation: number;
  readonly memberId: string;
}

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

/** The assignment of this member; the leader brings those of all. */
export const syncGroup = (member: Member, assignments: readonly MemberAssignment[], waitMs: number): BrokerRequest<Buffer> => ({
  name: 'SyncGroup',
  apiKey: 14,
  version: 3,
  waitMs,
  write: (to) =>
    to
      .string(member.groupId)
      .int32(member.generation)
      .string(member.memberId)
      .string(null)
      .array(assignments, ({ memberId, assignment }) => to.string(memberId).blob(assignment)),
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'SyncGroup');
    return from.blob() ?? Buffer.alloc(0);
  },
});

export const heartbeat = (member: Member): BrokerRequest<void> => ({
  name: 'Heartbeat',
  apiKey: 12,
  version: 3,
  write: (to) => to.string(member.groupId).int32(member.generation).string(member.memberId).string(null),
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'Heartbeat');
  },
});

export const leaveGroup = (groupId: string, memberId: string): BrokerRequest<void> => ({
  name: 'LeaveGroup',
  apiKey: 13,
  version: 3,
  write: (to) => to.string(groupId).array([memberId], (id) => to.string(id).string(null)),
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'LeaveGroup');
  },
});

interface DescribedMember extends MemberAssignment {
  /** What it calls itself. */
  readonly clientId: string;
}

export interface DescribedGroup {
  /** `Stable` when every member has its assignment; https://kafka.apache.org/protocol#The_Messages_DescribeGroups */
  readonly state: string;
  readonly members: readonly DescribedMember[];
}

/** A group without members is `Dead` or `Empty`. */
export const describeGroup = (groupId: string): BrokerRequest<DescribedGroup> => ({
  name: 'DescribeGroups',
  apiKey: 15,
  version: 1,
  write: (to) => to.array([groupId], (id) => to.string(id)),
  read(from) {
    from.int32();
    const [group] = from.array(() => {
      throwRefusal(from.int16(), 'DescribeGroups');
      from.string();
      const state = from.string() ?? '';
      from.string();
      from.string();
      const members = from.array(() => {
        const [memberId, clientId] = [from.string() ?? '', from.string() ?? ''];
        from.string();
        from.blob();
        return { memberId, clientId, assignment: from.blob() ?? Buffer.alloc(0) };
      });
      return { state, members };
    });
    return group ?? { state: 'Dead', members: [] };
  },
});

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata?: string;
}

/** A partition's refusal fails the request with the first that there is; a topic that was deleted has nothing to commit. */
export const commitOffsets = (member: Member, offsets: readonly OffsetToCommit[]): BrokerRequest<void> => ({
  name: 'OffsetCommit',
  apiKey: 8,
  version: 5,
  write: (to) =>
    to
      .string(member.groupId)
      .int32(member.generation)
      .string(member.memberId)
      .array([...byTopic(offsets)], ([topic, partitions]) =>
        to.string(topic).array(partitions, ({ partition, offset, metadata = null }) => to.int32(partition).int64(offset).string(metadata)),
      ),
  read(from) {
    from.int32();
    const refused = from.array(() => {
      const topic = from.string() ?? '';
      return from
        .array(() => {
          from.int32();
          return from.int16();
        })
        .map((error) => ({ topic, error }));
    });
    for (const { topic, error } of refused.flat())
      if (error !== ERROR.UNKNOWN_TOPIC_OR_PARTITION) throwRefusal(error, 'OffsetCommit', topic);
  },
});

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Negative when the group has committed none. */
  readonly offset: number;
  readonly metadata: string | null;
}

export const fetchOffsets = (
  groupId: string,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): BrokerRequest<readonly CommittedOffset[]> => ({
  name: 'OffsetFetch',
  apiKey: 9,
  version: 3,
  write: (to) =>
    to
      .string(groupId)
      .array([...byTopic(partitions)], ([topic, each]) => to.string(topic).array(each, ({ partition }) => to.int32(partition))),
  read(from) {
    from.int32();
    const offsets = from.array(() => {
      const topic = from.string() ?? '';
      return from.array(() => {
        const committed = { topic, partition: from.int32(), offset: from.int64(), metadata: from.string() };
        throwRefusal(from.int16(), 'OffsetFetch', topic);
        return committed;
      });
    });
    throwRefusal(from.int16(), 'OffsetFetch');
    return offsets.flat();
  },
});

export function byTopic<T extends { readonly topic: string }>(partitions: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const each of partitions) {
    const list = topics.get(each.topic);
    if (list === undefined) topics.set(each.topic, [each]);
    else list.push(each);
  }
  return topics;
}
