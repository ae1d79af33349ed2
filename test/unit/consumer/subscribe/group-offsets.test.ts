// Where the group stands: one partition of which its broker does not tell keeps no other of the same broker waiting.
import { type BrokerConnections, ERROR } from '@tailwater/runtime';
import { describe, expect, test } from 'vitest';
import { GroupOffsets } from '#consumer/subscribe/group-offsets.js';
import type { TopicCatalog } from '#consumer/subscribe/topic-catalog.js';

const topic = 'tw.shop.orders';
const partitions = [0, 1, 2].map((partition) => ({ topic, partition }));

/** A broker that leads all of them, and tells nothing of those that are `refused`. */
function scene(refused: ReadonlyMap<number, number>) {
  const answers: Readonly<Record<string, unknown>> = {
    FindCoordinator: { nodeId: 1, host: 'here', port: 1, rack: null },
    OffsetFetch: partitions.map((each) => ({ ...each, offset: 4, metadata: null })),
    ListOffsets: partitions.map((each) => ({ ...each, error: refused.get(each.partition) ?? ERROR.NONE, offset: 9, timestamp: 0 })),
    DescribeConfigs: new Map(),
  };
  const broker = { send: async ({ name }: { readonly name: string }) => answers[name] };
  const connections = { any: async () => broker, node: async () => broker, know: () => undefined };
  const catalog = { topics: new Map([[topic, { topic, id: 'x', leaders: [1, 1, 1], replicas: 1 }]]), leaderOf: () => 1 };
  return new GroupOffsets(connections as unknown as BrokerConnections, catalog as unknown as TopicCatalog, 'tw.es');
}

describe('one partition of which its broker does not tell', () => {
  const offsets = scene(new Map([[1, ERROR.OFFSET_NOT_AVAILABLE]]));

  test('is left out of what is known of the others', async () => {
    const standing = await offsets.read(partitions);
    expect(standing.map(({ partition, committed, end }) => [partition, committed, end])).toEqual([
      [0, 4, 9],
      [2, 4, 9],
    ]);
  });

  test('leaves the lag unknown', async () => {
    await expect(offsets.lags(partitions)).rejects.toMatchObject({ code: ERROR.LEADER_NOT_AVAILABLE });
  });
});
