import { describe, expect, it } from 'vitest';
import { isDeadProcess, memberName, ownIdentity, parseMemberName } from '#producer/election/process-identity.js';

const SELF = { host: 'a.example', pid: 1, startedAtMs: 1000 };
const none = () => false;
const all = () => true;

describe('a member’s name', () => {
  it('comes back as the process that it names', () => {
    expect(parseMemberName(memberName(SELF))).toEqual(SELF);
    expect(parseMemberName(memberName({ ...SELF, host: 'odd/host-1' }))).toEqual({ ...SELF, host: 'odd/host-1' });
    for (const other of ['', 'kafkajs', 'tailwater-producer@a', 'tailwater-producer@a/x/1']) expect(parseMemberName(other)).toBeUndefined();
  });
});

describe('isGhost', () => {
  it('knows a process of this machine that is gone', () => {
    const other = memberName({ ...SELF, pid: 4711 });
    expect(isDeadProcess(other, SELF, none)).toBe(true);
    expect(isDeadProcess(other, SELF, all)).toBe(false);
  });

  it('knows its own former life under the same pid, as in a container', () => {
    expect(isDeadProcess(memberName({ ...SELF, startedAtMs: 1 }), SELF, all)).toBe(true);
    expect(isDeadProcess(memberName(SELF), SELF, none)).toBe(false);
  });

  it('takes what it cannot know for alive', () => {
    expect(isDeadProcess(memberName({ ...SELF, host: 'b.example', pid: 2 }), SELF, none)).toBe(false);
    expect(isDeadProcess('somebody else', SELF, none)).toBe(false);
  });

  it('asks the system', () => {
    const self = ownIdentity();
    expect(isDeadProcess(memberName({ ...self, pid: process.ppid }), self)).toBe(false);
    expect(isDeadProcess(memberName({ ...self, pid: 2 ** 22 + 1 }), self)).toBe(true);
  });
});
