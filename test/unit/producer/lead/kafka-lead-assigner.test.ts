import kafkajs, { type Cluster } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { type Claim, chooseLeader, leadAssigner } from '../../../../packages/producer/src/lead/kafka-lead-assigner.js';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const waiting = (memberId: string, startedAtMs: number) => ({ memberId, startedAtMs, leadingSinceMs: null });
const leading = (memberId: string, leadingSinceMs: number) => ({ memberId, startedAtMs: 999, leadingSinceMs });

describe('chooseLeader', () => {
  it('leaves the lead where it is, whoever joins', () => {
    expect(chooseLeader([waiting('a', 1), leading('b', 50), waiting('c', 2)])).toBe('b');
  });

  it('believes the newest lead: an older one was lost while its process was frozen', () => {
    expect(chooseLeader([leading('a', 50), leading('b', 70)])).toBe('b');
  });

  it('gives a free lead to whoever has waited longest', () => {
    expect(chooseLeader([waiting('a', 3), waiting('c', 1), waiting('b', 1)])).toBe('b');
  });

  it('has nobody to choose in an empty group', () => {
    expect(chooseLeader([])).toBeUndefined();
  });
});

describe('leadAssigner', () => {
  const assigner = (claim: Claim) =>
    leadAssigner('tw.checkpoints', () => claim)({ cluster: {} as Cluster, groupId: 'g', logger: {} as never });

  it('gives the one partition to the leader, and nothing to the others', async () => {
    const members = [waiting('a', 1), leading('b', 5)].map(({ memberId, ...claim }) => ({
      memberId,
      memberMetadata: assigner(claim).protocol({ topics: ['tw.checkpoints'] }).metadata,
    }));
    // A later version may say something else of itself.
    const userData = Buffer.from('?');
    members.push({ memberId: 'z', memberMetadata: MemberMetadata.encode({ version: 1, topics: [], userData }) });
    const assigned = await assigner(waiting('a', 1)).assign({ members, topics: ['tw.checkpoints'] });
    const decoded = assigned.map(({ memberId, memberAssignment }) => [memberId, MemberAssignment.decode(memberAssignment)?.assignment]);
    expect(Object.fromEntries(decoded)).toEqual({ a: {}, b: { 'tw.checkpoints': [0] }, z: {} });
  });
});
