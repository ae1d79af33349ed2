import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { describeMembers } from '#producer/election/kafka-members.js';
import { memberName } from '#producer/election/process-identity.js';

const SELF = { host: 'here', pid: 1, startedAtMs: 0 };
const isAlive = (pid: number): boolean => pid !== 99;

const member = (host: string, pid: number, startedAtMs: number, topics: Record<string, number[]> | undefined) => ({
  clientId: memberName({ host, pid, startedAtMs }),
  memberId: `${host}-${pid}`,
  assignment:
    topics === undefined
      ? Buffer.alloc(0)
      : kafkajs.AssignerProtocol.MemberAssignment.encode({ version: 1, assignment: topics, userData: Buffer.alloc(0) }),
});
const roles = (state: 'Stable' | 'PreparingRebalance', ...members: ReturnType<typeof member>[]) =>
  describeMembers({ state, members }, SELF, isAlive).map(({ role, host, pid }) => `${role} ${host}/${pid}`);

describe('describeMembers', () => {
  it('names who leads first, then who waits, the longest first', () => {
    const members = [member('b', 3, 2000, {}), member('c', 4, 1000, {}), member('a', 2, 3000, { 'tw.checkpoints': [0] })];
    expect(roles('Stable', ...members)).toEqual(['leads a/2', 'stands by c/4', 'stands by b/3']);
    expect(describeMembers({ state: 'Stable', members }, SELF, isAlive)[0]?.startedAt).toBe('1970-01-01T00:00:03.000Z');
  });

  it('says of nobody that it leads while the group settles that', () => {
    expect(roles('PreparingRebalance', member('a', 2, 1, undefined))).toEqual(['joining a/2']);
  });

  it('knows a process of this machine that is gone', () => {
    expect(roles('Stable', member('here', 99, 1, { 'tw.checkpoints': [0] }), member('here', 5, 2, {}))).toEqual([
      'stands by here/5',
      'gone here/99',
    ]);
  });

  it('leaves out members that are no producers', () => {
    expect(describeMembers({ state: 'Stable', members: [{ ...member('a', 2, 1, {}), clientId: 'kcat' }] }, SELF, isAlive)).toEqual([]);
  });
});
