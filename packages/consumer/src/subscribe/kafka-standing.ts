// Where a group stands in partitions, and where these end: what it needs to know before its first commit.
import kafkajs, { type Admin } from 'kafkajs';
import { partitionEnds } from './kafka-reader.js';
import type { PartitionStanding, TopicPartition } from './subscription.js';

const { ConfigResourceTypes } = kafkajs;
const RETENTION = 'delete.retention.ms';

/** Topics that do not exist are left out. */
export async function readStanding(admin: Admin, groupId: string, partitions: readonly TopicPartition[]): Promise<PartitionStanding[]> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  const ends = await partitionEnds(admin, topics);
  const existing = [...new Set(ends.map(({ topic }) => topic))];
  if (existing.length === 0) return [];
  const [committed, kept] = await Promise.all([admin.fetchOffsets({ groupId, topics: existing }), tombstoneRetention(admin, existing)]);
  const byPlace = new Map(committed.flatMap(({ topic, partitions: each }) => each.map((one) => [`${topic}/${one.partition}`, one])));
  const asked = new Set(partitions.map(({ topic, partition }) => `${topic}/${partition}`));
  return ends
    .filter(({ topic, partition }) => asked.has(`${topic}/${partition}`))
    .map(({ topic, partition, low, high }) => {
      const { offset = '-1', metadata = null } = byPlace.get(`${topic}/${partition}`) ?? {};
      const standing = { topic, partition, low, end: high, tombstonesKeptMs: kept.get(topic) ?? Number.POSITIVE_INFINITY };
      return { ...standing, committed: Number(offset) < 0 ? undefined : Number(offset), metadata };
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
