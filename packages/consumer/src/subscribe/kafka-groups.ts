// Where the consumer groups of a prefix stand, whether or not one of their members runs.
import {
  committedOffsets,
  errorCodes,
  type KafkaClient,
  type KnownEnds,
  knownEnds,
  TailwaterError,
  toKafkaError,
} from '@tailwater/runtime';
import { namespaceOfTopic } from '@tailwater/schema';
import kafkajs, { type Admin, type MemberDescription } from 'kafkajs';

interface TopicLag {
  readonly topic: string;
  readonly partitions: number;
  /** Records that the group has committed, of those the topic still counts. */
  readonly committed: number;
  /** Null while a partition has no leader: how much is in it is not known. */
  readonly end: number | null;
  readonly lag: number | null;
  /** Of the partitions that lag, the moment up to which the group has everything that was published, in milliseconds since the epoch; null while none lags, or that is not known. */
  readonly behindSinceMs: number | null;
}

/** Reads that moment from what is kept with a commit. */
export type FreshAt = (metadata: string | null) => number | undefined;

/** Without members, or never heard of. */
const IDLE_STATES: ReadonlySet<string> = new Set(['Empty', 'Dead']);

export interface GroupReport {
  readonly group: string;
  /** As Kafka calls it: Stable, PreparingRebalance, CompletingRebalance, Empty, Dead. */
  readonly state: string;
  readonly members: number;
  readonly topics: readonly TopicLag[];
}

/**
 * Every group `<prefix>.<name>` that reads the prefix's topics, or has committed offsets of them.
 *
 * @throws TailwaterError TW12xx when Kafka refuses
 */
export async function readGroups(kafka: KafkaClient, prefix: string, freshAt: FreshAt): Promise<GroupReport[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [{ groups }, all] = await Promise.all([admin.listGroups(), admin.listTopics()]);
    const topics = all.filter((topic) => namespaceOfTopic(prefix, topic) !== undefined).sort();
    const names = groups.map(({ groupId }) => groupId).filter((name) => isTargetGroup(name, prefix));
    if (names.length === 0) return [];
    const known = await knownEnds(admin, topics);
    const { groups: descriptions } = await admin.describeGroups(names.sort());
    const reports: GroupReport[] = [];
    for (const { groupId, state, members } of descriptions) {
      const lags = await lagsOf(admin, groupId, subscribedTopics(members), known, freshAt);
      if (lags.length > 0) reports.push({ group: groupId, state, members: members.length, topics: lags });
    }
    return reports;
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect();
  }
}

/** A reader's name as earlier releases had it, `<prefix>.<target>.reader-…`, has more parts. */
const isTargetGroup = (name: string, prefix: string): boolean =>
  name.startsWith(`${prefix}.`) && !name.slice(prefix.length + 1).includes('.');

/**
 * Whether a group that was there before, as the topic `trace` shows, has no commits and no members: Kafka has forgotten its offsets
 * (offsets.retention.minutes), or an operator deleted them.
 *
 * @throws TailwaterError TW12xx when Kafka refuses
 */
export async function hasForgottenOffsets(kafka: KafkaClient, { prefix, group, trace }: { prefix: string; group: string; trace: string }) {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const all = await admin.listTopics();
    const topics = all.filter((topic) => namespaceOfTopic(prefix, topic) !== undefined);
    if (topics.length === 0 || !all.includes(trace)) return false;
    const { groups } = await admin.describeGroups([group]);
    if ((groups[0]?.members.length ?? 0) > 0) return false;
    const { ends, leaderless } = await knownEnds(admin, topics);
    const committed = await committedOffsets(admin, group, [...ends, ...leaderless]);
    return committed.every(({ offset }) => offset === undefined);
  } catch (error) {
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await admin.disconnect();
  }
}

/** @throws TailwaterError TW1353 when the group has members */
export async function assertNoMembers(admin: Admin, group: string, operation: string): Promise<void> {
  const { groups } = await admin.describeGroups([group]);
  const members = groups[0]?.members.length ?? 0;
  const state = groups[0]?.state ?? 'Dead';
  if (members > 0 || !IDLE_STATES.has(state)) throw new TailwaterError(errorCodes.GROUP_HAS_MEMBERS, { group, members, operation });
}

/**
 * The topics that the group reads, or has committed anything of. Every partition of them counts, with or without an owner: one without a commit
 * is read from its beginning.
 */
async function lagsOf(
  admin: Admin,
  groupId: string,
  subscribed: ReadonlySet<string>,
  { ends, leaderless }: KnownEnds,
  freshAt: FreshAt,
): Promise<TopicLag[]> {
  const committed = (await committedOffsets(admin, groupId, [...ends, ...leaderless])).filter(({ offset }) => offset !== undefined);
  const read = new Set([...subscribed, ...committed.map(({ topic }) => topic)]);
  const offsets = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  const fresh = new Map(committed.map(({ topic, partition, metadata }) => [`${topic}/${partition}`, freshAt(metadata)]));
  const sums = new Map<string, { partitions: number; committed: number; end: number; isKnown: boolean; since: number }>();
  const sumOf = (topic: string) => {
    const sum = sums.get(topic) ?? { partitions: 0, committed: 0, end: 0, isKnown: true, since: Number.POSITIVE_INFINITY };
    sums.set(topic, sum);
    sum.partitions += 1;
    return sum;
  };
  for (const { topic, partition, low, high } of ends) {
    if (!read.has(topic)) continue;
    const sum = sumOf(topic);
    sum.end += high;
    const applied = Math.min(high, Math.max(low, offsets.get(`${topic}/${partition}`) ?? low));
    sum.committed += applied;
    // Of a partition without a commit that is not known.
    if (applied < high) sum.since = Math.min(sum.since, fresh.get(`${topic}/${partition}`) ?? Number.NaN);
  }
  for (const { topic, partition } of leaderless) {
    if (!read.has(topic)) continue;
    const sum = sumOf(topic);
    sum.committed += offsets.get(`${topic}/${partition}`) ?? 0;
    sum.isKnown = false;
  }
  return [...sums].map(([topic, { partitions, committed: applied, end, isKnown, since }]) => {
    const known = isKnown ? { end, lag: end - applied } : { end: null, lag: null };
    return { topic, partitions, committed: applied, ...known, behindSinceMs: Number.isFinite(since) ? since : null };
  });
}

/** What the members want to read, also before anybody was given it; nothing of a member that speaks otherwise. */
function subscribedTopics(members: readonly MemberDescription[]): ReadonlySet<string> {
  const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
  const topicsOf = ({ memberAssignment, memberMetadata }: MemberDescription): string[] => {
    try {
      const given = Object.keys(MemberAssignment.decode(memberAssignment)?.assignment ?? {});
      // Empty while the group rebalances.
      return memberMetadata.length === 0 ? given : [...given, ...(MemberMetadata.decode(memberMetadata)?.topics ?? [])];
    } catch {
      return [];
    }
  };
  return new Set(members.flatMap(topicsOf));
}
