import type { Cluster } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { rememberCoordinator } from '../../../../packages/producer/src/publish/kafka-coordinator.js';

const GROUP = 0;
const TRANSACTION = 1;

function remembering() {
  const clock = { ms: 0 };
  const asked: string[] = [];
  const find = async ({ groupId }: { groupId: string }) => {
    asked.push(groupId);
    return { coordinator: { nodeId: asked.length } };
  };
  const cluster = { findGroupCoordinatorMetadata: find } as unknown as Cluster;
  rememberCoordinator(cluster, () => clock.ms);
  const ask = async (groupId: string, coordinatorType: number) => {
    const request = { groupId, coordinatorType };
    return (await cluster.findGroupCoordinatorMetadata(request)).coordinator.nodeId;
  };
  return { clock, asked, ask };
}

describe('rememberCoordinator', () => {
  it('asks once a second for the coordinator of transactions', async () => {
    const { clock, asked, ask } = remembering();
    expect(await ask('a', TRANSACTION)).toBe(1);
    clock.ms = 999;
    expect(await ask('a', TRANSACTION)).toBe(1);
    clock.ms = 1000;
    expect(await ask('a', TRANSACTION)).toBe(2);
    expect(asked).toEqual(['a', 'a']);
  });

  it('does not take one for another', async () => {
    const { asked, ask } = remembering();
    await ask('a', TRANSACTION);
    await ask('b', TRANSACTION);
    await ask('b', GROUP);
    await ask('b', GROUP);
    expect(asked).toEqual(['a', 'b', 'b', 'b']);
  });
});
