import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { assignLead, chooseLeader, encodeClaim, holdsLead } from '#producer/election/lead-protocol.js';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const TOPIC = 'tw.checkpoints';
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

describe('what the members say to each other', () => {
  it('is written as kafkajs wrote it for the version before', () => {
    const claim = { leadingSinceMs: 5, startedAtMs: 1 };
    const userData = Buffer.from(JSON.stringify(claim));
    expect(encodeClaim(TOPIC, claim)).toEqual(MemberMetadata.encode({ version: 1, topics: [TOPIC], userData }));
    const [given] = assignLead(TOPIC, [{ memberId: 'a', metadata: encodeClaim(TOPIC, claim) }]);
    expect(given?.assignment).toEqual(MemberAssignment.encode({ version: 1, assignment: { [TOPIC]: [0] }, userData: Buffer.alloc(0) }));
  });

  it('gives the one partition to the leader, and nothing to the others', () => {
    const members = [waiting('a', 1), leading('b', 5)].map(({ memberId, ...claim }) => ({ memberId, metadata: encodeClaim(TOPIC, claim) }));
    // A later version may say something else of itself.
    const userData = Buffer.from('?');
    members.push({ memberId: 'y', metadata: MemberMetadata.encode({ version: 1, topics: [], userData }) });
    members.push({ memberId: 'z', metadata: Buffer.alloc(0) });
    const given = assignLead(TOPIC, members);
    const decoded = given.map(({ memberId, assignment }) => [memberId, MemberAssignment.decode(assignment)?.assignment]);
    expect(Object.fromEntries(decoded)).toEqual({ a: {}, b: { [TOPIC]: [0] }, y: {}, z: {} });
    expect(given.filter(({ assignment }) => holdsLead(assignment)).map(({ memberId }) => memberId)).toEqual(['b']);
  });

  it('gives nothing where it cannot be read', () => {
    for (const assignment of [Buffer.alloc(0), Buffer.from([0]), Buffer.from([0, 1, 0, 0, 0, 9])])
      expect(holdsLead(assignment)).toBe(false);
  });
});
