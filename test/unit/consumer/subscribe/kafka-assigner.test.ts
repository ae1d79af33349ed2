import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evenShares } from '../../../../packages/consumer/src/subscribe/kafka-assigner.js';

const sizes: Record<string, number> = { a: 16, b: 3, c: 1, d: 8 };
const partitionsOf = (topic: string): number[] => Array.from({ length: sizes[topic] ?? 0 }, (_, partition) => partition);

describe('evenShares', () => {
  test.each([1, 2, 4, 8])('divides 16 partitions among %i', (count) => {
    const members = Array.from({ length: count }, (_, index) => ({ memberId: `m${index}`, topics: ['a'] }));
    const shares = evenShares(members, partitionsOf);
    for (const assignment of shares.values()) expect(assignment['a']).toHaveLength(16 / count);
  });

  test('property: each partition that somebody subscribes to has exactly one owner, who subscribes to it', () => {
    const member = fc.record({ memberId: fc.uuid(), topics: fc.subarray(Object.keys(sizes)) });
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ({ memberId }) => memberId, maxLength: 6 }), (members) => {
        const owned = [...evenShares(members, partitionsOf)].flatMap(([memberId, assignment]) =>
          Object.entries(assignment).flatMap(([topic, partitions]) => {
            expect(members.find((each) => each.memberId === memberId)?.topics).toContain(topic);
            return partitions.map((partition) => `${topic}/${partition}`);
          }),
        );
        const subscribed = [...new Set(members.flatMap(({ topics }) => topics))];
        const wanted = subscribed.flatMap((topic) => partitionsOf(topic).map((partition) => `${topic}/${partition}`));
        expect(owned.sort()).toEqual(wanted.sort());
      }),
    );
  });

  test('property: shares of members that subscribe to the same differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.subarray(Object.keys(sizes)), (count, topics) => {
        const members = Array.from({ length: count }, (_, index) => ({ memberId: `m${index}`, topics }));
        const counts = [...evenShares(members, partitionsOf).values()].map((assignment) => Object.values(assignment).flat().length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
