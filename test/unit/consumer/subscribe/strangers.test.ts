// Members of one group that apply to different targets: each would get a part of the changes.
import { describe, expect, test } from 'vitest';
import type { AssignedMember } from '#consumer/subscribe/assigned-member.js';
import { incompatibleMembers } from '#consumer/subscribe/assignor.js';

const READING = [{ topic: 'a', partition: 0 }];
const member = (memberId: string, rest: Partial<AssignedMember> = {}): AssignedMember => ({
  memberId,
  topics: new Set(['a']),
  owned: [],
  generation: -1,
  ...rest,
});

describe('strangers of a group', () => {
  test('are those who apply to another target than whoever reads already, also when one of them leads', () => {
    const members = [member('old', { owned: READING, generation: 4, target: ['x', 'y'] }), member('new', { target: ['z'] })];
    expect(incompatibleMembers(members, 'old')).toEqual(new Set(['new']));
    expect(incompatibleMembers(members, 'new')).toEqual(new Set(['new']));
  });

  test('are at first those who apply to another one than the leader', () => {
    const members = [member('one', { target: ['x'] }), member('two', { target: ['z'] })];
    expect(incompatibleMembers(members, 'one')).toEqual(new Set(['two']));
    expect(incompatibleMembers(members, 'two')).toEqual(new Set(['one']));
  });

  test('are none who name another node of the same target, or say nothing', () => {
    const members = [member('a', { owned: READING, target: ['x', 'y'] }), member('b', { target: ['y', 'z'] }), member('c')];
    expect(incompatibleMembers(members, 'a')).toEqual(new Set());
    expect(incompatibleMembers([member('a', { owned: READING }), member('b', { target: ['x'] })], 'a')).toEqual(new Set());
  });

  test('of two that read, the newer generation is right', () => {
    const members = [
      member('a', { owned: READING, generation: 3, target: ['x'] }),
      member('b', { owned: READING, generation: 5, target: ['z'] }),
    ];
    expect(incompatibleMembers(members, 'a')).toEqual(new Set(['a']));
  });
});
