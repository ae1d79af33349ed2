// Who reads which partition: even shares of each topic and of all, and what somebody reads already stays with it where it can. A partition that moves is
// first given back and only then given on, in a second round, so that it never has two readers (promise B):
// https://cwiki.apache.org/confluence/display/KAFKA/KIP-429
import { isOtherTarget, type TargetMark } from '../target-mark.js';
import { partitionName, type TopicPartition } from './subscription.js';

export interface AssignedMember {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  /** What the member reads at the moment, and since which generation: of two that say so, the older is wrong. */
  readonly owned: readonly TopicPartition[];
  readonly generation: number;
  /** Where it applies changes to, if it says so. */
  readonly target?: TargetMark | undefined;
}

interface Share {
  readonly member: AssignedMember;
  readonly partitions: TopicPartition[];
  extras: number;
}

/**
 * Those that apply to another target than the group does: to that of whoever reads something already, and else to the leader's own. Each target would get a
 * part of the changes.
 */
export function strangersAmong(members: readonly AssignedMember[], leaderId: string): ReadonlySet<string> {
  const speaking = members.filter(({ target = [] }) => target.length > 0);
  const reading = speaking.filter(({ owned }) => owned.length > 0).sort((a, b) => b.generation - a.generation);
  const ofGroup = (reading[0] ?? speaking.find(({ memberId }) => memberId === leaderId))?.target;
  return new Set(speaking.filter(({ target }) => isOtherTarget(target, ofGroup)).map(({ memberId }) => memberId));
}

/** @param partitions of every topic, how many partitions it has */
export function assign(members: readonly AssignedMember[], partitions: ReadonlyMap<string, number>): Map<string, TopicPartition[]> {
  const owners = ownersOf(members);
  const shares = [...members]
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map((member): Share => ({ member, partitions: [], extras: 0 }));
  const left: { readonly topic: string; readonly partitions: number[]; readonly among: readonly Share[] }[] = [];
  for (const topic of [...partitions.keys()].sort()) {
    const among = shares.filter(({ member }) => member.topics.has(topic));
    if (among.length > 0) left.push({ topic, among, partitions: giveEqually(topic, partitions.get(topic) as number, among, owners) });
  }
  giveRest(left, shares, owners);
  return new Map(shares.map(({ member, partitions: given }) => [member.memberId, given.filter((each) => isFree(each, member, owners))]));
}

/** A partition that another member has to give back first is nobody's in this round. */
function isFree(partition: TopicPartition, { memberId }: AssignedMember, owners: ReadonlyMap<string, string>): boolean {
  return (owners.get(partitionName(partition)) ?? memberId) === memberId;
}

/** As many partitions of a topic to each member as all can have, those that it has first; what is left over is returned. */
function giveEqually(topic: string, count: number, among: readonly Share[], owners: ReadonlyMap<string, string>): number[] {
  const each = Math.floor(count / among.length);
  const room = new Map(among.map((share) => [share.member.memberId, { share, left: each }]));
  const free: number[] = [];
  for (let partition = 0; partition < count; partition += 1) {
    const owner = room.get(owners.get(partitionName({ topic, partition })) ?? '');
    if (owner === undefined || owner.left === 0) free.push(partition);
    else {
      owner.left -= 1;
      owner.share.partitions.push({ topic, partition });
    }
  }
  const rest = [...free];
  // Whose owner may still get one of the rest is given away last.
  rest.sort((a, b) => Number(isOwned(topic, a, room, owners)) - Number(isOwned(topic, b, room, owners)));
  for (const { share, left } of room.values()) {
    for (const partition of rest.splice(0, left)) share.partitions.push({ topic, partition });
  }
  return rest;
}

const isOwned = (topic: string, partition: number, room: ReadonlyMap<string, unknown>, owners: ReadonlyMap<string, string>): boolean =>
  room.has(owners.get(partitionName({ topic, partition })) ?? '');

/** What could not be given equally, one of a topic at most to each member, and about as many to each over all topics. */
function giveRest(
  left: readonly { readonly topic: string; readonly partitions: readonly number[]; readonly among: readonly Share[] }[],
  shares: readonly Share[],
  owners: ReadonlyMap<string, string>,
): void {
  const total = left.reduce((sum, { partitions }) => sum + partitions.length, 0);
  const most = Math.ceil(total / Math.max(1, shares.length));
  const taken = new Map<string, Set<Share>>(left.map(({ topic }) => [topic, new Set()]));
  const give = (share: Share, topic: string, partition: number) => {
    share.extras += 1;
    share.partitions.push({ topic, partition });
    taken.get(topic)?.add(share);
  };
  const homeless: { readonly topic: string; readonly partition: number; readonly among: readonly Share[] }[] = [];
  for (const { topic, partitions, among } of left) {
    for (const partition of partitions) {
      const owner = among.find(({ member }) => member.memberId === owners.get(partitionName({ topic, partition })));
      if (owner !== undefined && owner.extras < most && taken.get(topic)?.has(owner) === false) give(owner, topic, partition);
      else homeless.push({ topic, partition, among });
    }
  }
  for (const { topic, partition, among } of homeless) {
    const without = among.filter((share) => taken.get(topic)?.has(share) === false);
    give(
      without.reduce((least, share) => (share.partitions.length < least.partitions.length ? share : least)),
      topic,
      partition,
    );
  }
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
