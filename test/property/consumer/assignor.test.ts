// Sharing partitions out, for any members, topics and claims: nobody shares one, nobody is forgotten, shares are even, and what need not move stays.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AssignedMember } from '#consumer/subscribe/assigned-member.js';
import { assign } from '#consumer/subscribe/assignor.js';
import type { TopicPartition } from '#consumer/subscribe/subscription.js';

const TOPICS = ['a', 'b', 'c', 'd', 'e', 'f'];
const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

const counts = fc
  .array(fc.nat({ max: 9 }), { minLength: 1, maxLength: TOPICS.length })
  .map((each) => new Map(each.map((n, i) => [TOPICS[i] as string, n])));
const claim = fc.record({ topic: fc.constantFrom(...TOPICS), partition: fc.nat({ max: 9 }) });
const member = fc.record({
  topics: fc.subarray(TOPICS),
  owned: fc.uniqueArray(claim, { selector: nameOf }),
  generation: fc.integer({ min: -1, max: 3 }),
});
const members = fc
  .array(member, { minLength: 1, maxLength: 5 })
  .map((list) => list.map((each, index): AssignedMember => ({ memberId: `m${index}`, ...each, topics: new Set(each.topics) })));

const alike = fc.record({ count: fc.integer({ min: 1, max: 5 }), counts }).map(({ count, counts: partitions }) => ({
  partitions,
  members: Array.from(
    { length: count },
    (_, index): AssignedMember => ({ memberId: `m${index}`, topics: new Set(TOPICS), owned: [], generation: -1 }),
  ),
}));

/** The members as they join again: each with what it was given, after it gave back what it was not. */
const joining = (list: readonly AssignedMember[], given: ReadonlyMap<string, TopicPartition[]>, generation: number): AssignedMember[] =>
  list.map((each) => ({ ...each, owned: given.get(each.memberId) ?? [], generation }));

describe('assign', () => {
  test('gives no partition twice, none that another still reads, none of a topic that the member does not read, and none that does not exist', () => {
    fc.assert(
      fc.property(members, counts, (list, partitions) => {
        const given = assign(list, partitions);
        const all = [...given.values()].flat().map(nameOf);
        expect(new Set(all).size).toBe(all.length);
        for (const { memberId, topics, generation } of list) {
          for (const each of given.get(memberId) ?? []) {
            expect(topics.has(each.topic)).toBe(true);
            expect(each.partition).toBeLessThan(partitions.get(each.topic) ?? 0);
            const rivals = list.filter(
              (other) =>
                other.memberId !== memberId &&
                other.topics.has(each.topic) &&
                other.owned.some((one) => nameOf(one) === nameOf(each)) &&
                (other.generation > generation ||
                  !list.find((one) => one.memberId === memberId)?.owned.some((one) => nameOf(one) === nameOf(each))),
            );
            expect(rivals).toEqual([]);
          }
        }
      }),
    );
  });

  test('in two rounds everything that somebody subscribes to is read, and in a few nothing moves any more', () => {
    fc.assert(
      fc.property(members, counts, (list, partitions) => {
        const wanted = [...partitions].flatMap(([topic, count]) =>
          list.some(({ topics }) => topics.has(topic)) ? Array.from({ length: count }, (_, partition) => nameOf({ topic, partition })) : [],
        );
        const rounds = [assign(list, partitions)];
        for (let round = 1; round < 4; round += 1) rounds.push(assign(joining(list, rounds[round - 1] as never, 4 + round), partitions));
        const [, , before, last] = rounds.map((given) =>
          [...given].map(([memberId, each]) => [memberId, each.map(nameOf).sort()] as const),
        );
        expect(last?.flatMap(([, each]) => each).sort()).toEqual(wanted.sort());
        expect(last).toEqual(before);
      }),
      { numRuns: Number(process.env['TAILWATER_ASSIGNOR_RUNS'] ?? 200) },
    );
  });

  test('members alike get even shares, of each topic and of all', () => {
    fc.assert(
      fc.property(alike, ({ members: list, partitions }) => {
        const given = [...assign(list, partitions).values()];
        const spread = (sizes: readonly number[]): number => Math.max(...sizes) - Math.min(...sizes);
        for (const topic of partitions.keys())
          expect(spread(given.map((each) => each.filter((one) => one.topic === topic).length))).toBeLessThanOrEqual(1);
        expect(spread(given.map((each) => each.length))).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('one more member takes its share, and the others keep theirs', () => {
    fc.assert(
      fc.property(alike, ({ members: list, partitions }) => {
        const before = assign(list, partitions);
        const more = [...joining(list, before, 1), { memberId: 'new', topics: new Set(TOPICS), owned: [], generation: -1 }];
        const after = assign(more, partitions);
        for (const { memberId } of list) {
          const kept = new Set(before.get(memberId)?.map(nameOf));
          for (const each of after.get(memberId) ?? []) expect(kept.has(nameOf(each))).toBe(true);
        }
      }),
    );
  });

  test('shares thousands of topics out anew before anybody misses the leader’s heartbeat', () => {
    const topics = new Map(Array.from({ length: 5_000 }, (_, index) => [`topic-${index}`, 1] as const));
    const all = [...topics.keys()].map((topic) => ({ topic, partition: 0 }));
    const list = Array.from({ length: 20 }, (_, index): AssignedMember => {
      return { memberId: `m${index}`, topics: new Set(topics.keys()), owned: index === 0 ? all : [], generation: 1 };
    });
    const beganMs = performance.now();
    const given = assign(list, topics);
    // The shortest session there is, of a slow machine.
    expect(performance.now() - beganMs).toBeLessThan(6_000);
    expect(given.get('m0')).toHaveLength(250);
  });
});
