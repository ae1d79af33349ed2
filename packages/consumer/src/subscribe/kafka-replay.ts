// Moves a group's offsets back, so that it reads again what it has applied; never forward, which would skip changes (promise E).
import {
  askCoordinator,
  BrokerConnections,
  BrokerRefusal,
  commitOffsets,
  ERROR,
  errorCodes,
  type KafkaClient,
  offsetsAt,
  partitionEnds,
  TailwaterError,
  toKafkaError,
} from '@tailwater/runtime';
import type { Admin } from 'kafkajs';
import { readGroupOffsets } from './kafka-group-offsets.js';
import type { GroupPartitionOffsets, PartitionOffset } from './subscription.js';

/** From the beginning, from what was published at or after a time, or from an offset in each partition. */
export type ReplayFrom =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'offset'; readonly offset: number };

export interface PlannedReplay extends GroupPartitionOffsets {
  /** The offset that the group has now; where it would begin when it has none. */
  readonly now: number;
  /** The offset to go back to; `now` where there is nothing to go back to. */
  readonly to: number;
}

/** Where each partition of these topics would go back to. */
export async function planReplay(admin: Admin, groupId: string, topics: readonly string[], from: ReplayFrom): Promise<PlannedReplay[]> {
  const partitions = await partitionEnds(admin, topics);
  const atTime = from.kind === 'time' ? await offsetsAt(admin, topics, from.ms) : undefined;
  return (await readGroupOffsets(admin, groupId, partitions)).map((groupOffsets) => {
    const { topic, partition, committed, low, end } = groupOffsets;
    const now = Math.max(low, committed ?? low);
    const places = {
      beginning: low,
      time: atTime?.get(`${topic}/${partition}`) ?? end,
      offset: from.kind === 'offset' ? from.offset : low,
    };
    return { ...groupOffsets, now, to: Math.min(now, Math.max(low, places[from.kind])) };
  });
}

/** https://kafka.apache.org/protocol#The_Messages_OffsetCommit: without a generation it is an administrator's, which Kafka refuses while the group has members. */
const NO_MEMBER = { generation: -1, memberId: '' };
const IN_USE: ReadonlySet<number> = new Set([ERROR.UNKNOWN_MEMBER_ID, ERROR.ILLEGAL_GENERATION, ERROR.REBALANCE_IN_PROGRESS]);
const ATTEMPTS_MS = 30_000;

/**
 * Commits the offsets of a group that has no members.
 *
 * @throws TailwaterError TW1353 when the group has members
 */
export async function moveOffsets(
  kafka: KafkaClient,
  groupId: string,
  offsets: readonly PartitionOffset[],
  operation = 'a replay',
): Promise<void> {
  const connections = new BrokerConnections(kafka);
  try {
    await askCoordinator(connections, groupId, commitOffsets({ groupId, ...NO_MEMBER }, offsets), AbortSignal.timeout(ATTEMPTS_MS));
  } catch (error) {
    if (error instanceof BrokerRefusal && IN_USE.has(error.code))
      throw new TailwaterError(errorCodes.GROUP_HAS_MEMBERS, { group: groupId, members: 1, operation });
    throw toKafkaError(error, kafka.brokers);
  } finally {
    connections.close();
  }
}
