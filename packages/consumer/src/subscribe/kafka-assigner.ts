// Who reads which partition: even shares over the members that subscribe to the topic. kafkajs's own assigner hands
// partitions to members that do not know the topic yet, and nobody reads them until those members notice (promise E).
//
// The assigner is also where kafkajs hands out the cluster a group member joins through, so the gate is hung here: before
// a member joins again it finishes what it has in flight. The broker completes a rebalance only when every member has
// joined, so no partition has two writers (promise B), which matters most for targets that cannot compare versions.
import kafkajs, { type PartitionAssigner } from 'kafkajs';
import { fetchFairly } from './kafka-fair-fetch.js';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const PROTOCOL = 'tailwater-even';
const VERSION = 1;

/** Even shares: each partition, in topic and partition order, goes to the subscriber with the fewest so far. */
export function evenShares(
  members: readonly { readonly memberId: string; readonly topics: readonly string[] }[],
  partitionsOf: (topic: string) => readonly number[],
): Map<string, Record<string, number[]>> {
  const sorted = members
    .map(({ memberId, topics }) => ({ memberId, topics: new Set(topics), count: 0, assignment: {} as Record<string, number[]> }))
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort();
  for (const topic of topics) {
    const subscribers = sorted.filter((member) => member.topics.has(topic));
    for (const partition of [...partitionsOf(topic)].sort((a, b) => a - b)) {
      const least = subscribers.reduce((best, member) => (member.count < best.count ? member : best));
      least.count += 1;
      least.assignment[topic] ??= [];
      least.assignment[topic].push(partition);
    }
  }
  return new Map(sorted.map(({ memberId, assignment }) => [memberId, assignment]));
}

/**
 * @param beforeJoin runs before each join of the group, the first included; must settle well within the session timeout,
 * because no heartbeat is sent meanwhile
 */
export function evenAssigner(beforeJoin: () => Promise<void>): PartitionAssigner {
  return ({ cluster }) => {
    fetchFairly(cluster);
    const findCoordinator = cluster.findGroupCoordinator.bind(cluster);
    // kafkajs asks for the coordinator at the start of each join and at no other time of a consumer's life.
    cluster.findGroupCoordinator = async (group) => {
      await beforeJoin();
      return findCoordinator(group);
    };
    return {
      name: PROTOCOL,
      version: VERSION,
      protocol: ({ topics }) => ({
        name: PROTOCOL,
        metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }),
      }),
      assign: async ({ members }) => {
        const subscriptions = members.map(({ memberId, memberMetadata }) => ({
          memberId,
          topics: MemberMetadata.decode(memberMetadata)?.topics ?? [],
        }));
        const shares = evenShares(subscriptions, (topic) => cluster.findTopicPartitionMetadata(topic).map((each) => each.partitionId));
        return [...shares].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({ version: VERSION, assignment, userData: Buffer.alloc(0) }),
        }));
      },
    };
  };
}
