// Where a group stands in partitions, and where these end: what it needs to know before its first commit.
import { committedOffsets, partitionEnds } from '@tailwater/runtime';
import kafkajs, { type Admin } from 'kafkajs';
import { type GroupPartitionOffsets, partitionName, type TopicPartition } from './subscription.js';

const { ConfigResourceTypes } = kafkajs;
const RETENTION = 'delete.retention.ms';

/** Topics that do not exist are left out. */
export async function readGroupOffsets(
  admin: Admin,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<GroupPartitionOffsets[]> {
  const asked = new Set(partitions.map(partitionName));
  const ends = (await partitionEnds(admin, new Set(partitions.map(({ topic }) => topic)))).filter((each) => asked.has(partitionName(each)));
  if (ends.length === 0) return [];
  const existing = [...new Set(ends.map(({ topic }) => topic))];
  const [committed, kept] = await Promise.all([committedOffsets(admin, groupId, ends), tombstoneRetention(admin, existing)]);
  const byName = new Map(committed.map((each) => [partitionName(each), each]));
  return ends.map(({ topic, partition, low, high }) => {
    const { offset, metadata = null } = byName.get(partitionName({ topic, partition })) ?? {};
    return { topic, partition, low, end: high, tombstonesKeptMs: kept.get(topic) ?? Number.POSITIVE_INFINITY, committed: offset, metadata };
  });
}

/** Without the right to see a topic's settings nothing is known, and nothing is concluded. */
async function tombstoneRetention(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: [RETENTION] })),
    });
    return new Map(resources.map(({ resourceName, configEntries }) => [resourceName, Number(configEntries[0]?.configValue)]));
  } catch {
    return new Map();
  }
}
