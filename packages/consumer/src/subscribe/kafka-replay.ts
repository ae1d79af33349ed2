// Moves a group's offsets back, so that it reads again what it has applied; never forward, which would skip changes (promise E).
import { type KafkaClient, offsetsAt, partitionEnds, sleep, TailwaterError, toKafkaError } from '@tailwater/runtime';
import type { Admin } from 'kafkajs';
import { evenAssigner } from './kafka-assigner.js';
import { protocolErrorOf } from './kafka-protocol-error.js';
import { readStanding } from './kafka-standing.js';
import type { PartitionOffset, PartitionStanding } from './subscription.js';

/** From the beginning, from what was published at or after a time, or from an offset in each partition. */
export type ReplayFrom =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'offset'; readonly offset: number };

export interface PlannedReplay extends PartitionStanding {
  /** The offset that the group has now; where it would begin when it has none. */
  readonly now: number;
  /** The offset to go back to; `now` where there is nothing to go back to. */
  readonly to: number;
}

/** Where each partition of these topics would go back to. */
export async function planReplay(admin: Admin, groupId: string, topics: readonly string[], from: ReplayFrom): Promise<PlannedReplay[]> {
  const partitions = await partitionEnds(admin, topics);
  const atTime = from.kind === 'time' ? await offsetsAt(admin, topics, from.ms) : undefined;
  return (await readStanding(admin, groupId, partitions)).map((standing) => {
    const { topic, partition, committed, low, end } = standing;
    const now = Math.max(low, committed ?? low);
    const places = {
      beginning: low,
      time: atTime?.get(`${topic}/${partition}`) ?? end,
      offset: from.kind === 'offset' ? from.offset : low,
    };
    return { ...standing, now, to: Math.min(now, Math.max(low, places[from.kind])) };
  });
}

const JOIN_TIMEOUT_MS = 60_000;

/**
 * Commits the offsets as the group's only member, so that nobody reads meanwhile.
 *
 * @throws TailwaterError TW1353 when somebody else is in the group
 */
export async function moveOffsets(
  kafka: KafkaClient,
  groupId: string,
  offsets: readonly PartitionOffset[],
  operation = 'a replay',
): Promise<void> {
  const inUse = (members: number) => new TailwaterError('TW1353', { group: groupId, members, operation });
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    sessionTimeout: 10_000,
    allowAutoTopicCreation: false,
    partitionAssigners: [evenAssigner(async () => {})],
  });
  // Nothing is to be read: the offsets are all that this member is for.
  consumer.on(consumer.events.GROUP_JOIN, () => consumer.pause(topics.map((topic) => ({ topic }))));
  const move = async () => {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined });
    const { members } = await consumer.describeGroup();
    if (members.length > 1) throw inUse(members.length - 1);
    await consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: String(each.offset) })));
  };
  const late = async () => {
    await sleep(JOIN_TIMEOUT_MS);
    throw inUse(1);
  };
  try {
    await Promise.race([move(), late()]);
  } catch (error) {
    if (/^(ILLEGAL_GENERATION|UNKNOWN_MEMBER_ID|REBALANCE_IN_PROGRESS)$/.test(protocolErrorOf(error))) throw inUse(1);
    throw toKafkaError(error, kafka.brokers);
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
}
