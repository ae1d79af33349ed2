// Who reads which partition: even shares of each topic and of all, and a partition stays with the member that reads it where possible. A partition that moves is
// first given back and only then given on, in a second round, so that it never has two readers (promise B):
// https://cwiki.apache.org/confluence/display/KAFKA/KIP-429

import type { AssignedMember } from './assigned-member.js';
import { AssignmentBalancer } from './assignment-balancer.js';
import { partitionName, type TopicPartition } from './subscription.js';
import { isOtherTarget } from './target-mark.js';

/**
 * Those that apply to another target than the group does: to that of a member that reads already, else to the leader's own. Each target would get a
 * part of the changes.
 */
export function incompatibleMembers(members: readonly AssignedMember[], leaderId: string): ReadonlySet<string> {
  const speaking = members.filter(({ target = [] }) => target.length > 0);
  const reading = speaking.filter(({ owned }) => owned.length > 0).sort((a, b) => b.generation - a.generation);
  const ofGroup = (reading[0] ?? speaking.find(({ memberId }) => memberId === leaderId))?.target;
  return new Set(speaking.filter(({ target }) => isOtherTarget(target, ofGroup)).map(({ memberId }) => memberId));
}

/**
 * Each partition stays where it is read, those without a reader go to the member that has the fewest, and then partitions move one by one for as long as that makes shares more even. Since a
 * state that no move improves is left as it is, the rounds come to an end, whatever the subscriptions are.
 *
 * @param partitions of every topic, how many partitions it has
 */
export function assign(members: readonly AssignedMember[], partitions: ReadonlyMap<string, number>): Map<string, TopicPartition[]> {
  const owners = ownersOf(members);
  const shares = new AssignmentBalancer(members);
  for (const topic of [...partitions.keys()].sort()) shares.add(topic, partitions.get(topic) as number, owners);
  shares.level();
  return new Map(members.map((member) => [member.memberId, shares.of(member).filter((each) => isFree(each, member, owners))]));
}

/** A partition that another member has to give back first has no owner in this round. */
function isFree(partition: TopicPartition, { memberId }: AssignedMember, owners: ReadonlyMap<string, string>): boolean {
  return (owners.get(partitionName(partition)) ?? memberId) === memberId;
}

/** Of each partition, the member that reads it by the newest generation. */
function ownersOf(members: readonly AssignedMember[]): Map<string, string> {
  const owners = new Map<string, { readonly memberId: string; readonly generation: number }>();
  for (const { memberId, owned, generation, topics } of members) {
    for (const partition of owned) {
      const name = partitionName(partition);
      const other = owners.get(name);
      // What it reads of a topic that it has left it gives back by itself.
      if (topics.has(partition.topic) && (other === undefined || other.generation < generation)) owners.set(name, { memberId, generation });
    }
  }
  return new Map([...owners].map(([name, { memberId }]) => [name, memberId]));
}
