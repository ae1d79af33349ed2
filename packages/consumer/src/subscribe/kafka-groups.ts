// Where the consumer groups of a prefix stand, whether or not one of their members runs.
import { type KafkaClient, TailwaterError } from '@tailwater/runtime';
import { namespaceOfTopic } from '@tailwater/schema';
import kafkajs, { type Admin, type MemberDescription } from 'kafkajs';

interface TopicLag {
  readonly topic: string;
  readonly partitions: number;
  /** Records that the group has committed, of those the topic still counts. */
  readonly committed: number;
  readonly end: number;
  readonly lag: number;
}

/** Without members, or never heard of. */
const IDLE_STATES: ReadonlySet<string> = new Set(['Empty', 'Dead']);

export interface GroupReport {
  readonly group: string;
  /** As Kafka calls it: Stable, PreparingRebalance, CompletingRebalance, Empty, Dead. */
  readonly state: string;
  readonly members: number;
  readonly topics: readonly TopicLag[];
}

interface PartitionEnds {
  readonly low: number;
  readonly high: number;
}

/** Every group `<prefix>.<name>` that reads the prefix's topics, or has committed offsets of them. */
export async function readGroups(kafka: KafkaClient, prefix: string): Promise<GroupReport[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const [{ groups }, all] = await Promise.all([admin.listGroups(), admin.listTopics()]);
    const topics = all.filter((topic) => namespaceOfTopic(prefix, topic) !== undefined).sort();
    const names = groups.map(({ groupId }) => groupId).filter((name) => isTargetGroup(name, prefix));
    if (names.length === 0) return [];
    const ends = new Map<string, ReadonlyMap<number, PartitionEnds>>();
    for (const topic of topics) ends.set(topic, await endsOf(admin, topic));
    const { groups: descriptions } = await admin.describeGroups(names.sort());
    const reports: GroupReport[] = [];
    for (const { groupId, state, members } of descriptions) {
      const lags = await lagsOf(admin, groupId, { topics, assigned: assignedTopics(members), ends });
      if (lags.length > 0) reports.push({ group: groupId, state, members: members.length, topics: lags });
    }
    return reports;
  } finally {
    await admin.disconnect();
  }
}

/** A reader's name, `<prefix>.<target>.reader-…`, has more parts. */
const isTargetGroup = (name: string, prefix: string): boolean =>
  name.startsWith(`${prefix}.`) && !name.slice(prefix.length + 1).includes('.');

/**
 * Whether a group that was there before, as the topic `trace` shows, has no commits and no members: Kafka has forgotten its offsets
 * (offsets.retention.minutes), or somebody deleted them.
 */
export async function offsetsForgotten(kafka: KafkaClient, { prefix, group, trace }: { prefix: string; group: string; trace: string }) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const all = await admin.listTopics();
    const topics = all.filter((topic) => namespaceOfTopic(prefix, topic) !== undefined);
    if (topics.length === 0 || !all.includes(trace)) return false;
    const { groups } = await admin.describeGroups([group]);
    if ((groups[0]?.members.length ?? 0) > 0) return false;
    const committed = await admin.fetchOffsets({ groupId: group, topics });
    return committed.every(({ partitions }) => partitions.every(({ offset }) => Number(offset) < 0));
  } finally {
    await admin.disconnect();
  }
}

/** @throws TailwaterError TW1353 when the group has members */
export async function assertStandsStill(admin: Admin, group: string, operation: string): Promise<void> {
  const { groups } = await admin.describeGroups([group]);
  const members = groups[0]?.members.length ?? 0;
  const state = groups[0]?.state ?? 'Dead';
  if (members > 0 || !IDLE_STATES.has(state)) throw new TailwaterError('TW1353', { group, members, operation });
}

async function endsOf(admin: Admin, topic: string): Promise<ReadonlyMap<number, PartitionEnds>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
}

interface TopicsOfInterest {
  readonly topics: readonly string[];
  readonly assigned: ReadonlySet<string>;
  readonly ends: ReadonlyMap<string, ReadonlyMap<number, PartitionEnds>>;
}

/** The topics that the group reads or has committed anything of; a partition without a commit is read from its beginning. */
async function lagsOf(admin: Admin, groupId: string, { topics, assigned, ends }: TopicsOfInterest): Promise<TopicLag[]> {
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  return committed.flatMap(({ topic, partitions }) => {
    if (!assigned.has(topic) && partitions.every(({ offset }) => Number(offset) < 0)) return [];
    const sum = { committed: 0, end: 0 };
    for (const { partition, offset } of partitions) {
      const { low, high } = ends.get(topic)?.get(partition) ?? { low: 0, high: 0 };
      sum.end += high;
      sum.committed += Math.min(high, Math.max(low, Number(offset)));
    }
    return [{ topic, partitions: partitions.length, ...sum, lag: sum.end - sum.committed }];
  });
}

function assignedTopics(members: readonly MemberDescription[]): ReadonlySet<string> {
  const decoded = members.map(({ memberAssignment }) => kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment));
  return new Set(decoded.flatMap((each) => Object.keys(each?.assignment ?? {})));
}
