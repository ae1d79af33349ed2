import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdSets } from '#consumer/repair/id-set.js';

const operations = fc.array(fc.record({ id: fc.nat({ max: 400 }).map(String), isAlive: fc.boolean() }), { maxLength: 3_000 });

describe('IdSets', () => {
  test('hold what a Set holds', () => {
    fc.assert(
      fc.property(operations, (all) => {
        const sets = new IdSets();
        const set = sets.create();
        expect(sets.next()).toBe(true);
        const model = new Set<string>();
        for (const { id, isAlive } of all) {
          if (isAlive) model.add(id);
          else model.delete(id);
          if (isAlive) set.add(id);
          else set.delete(id);
        }
        expect(set.size).toBe(model.size);
        const ids = Array.from({ length: 401 }, (_, id) => String(id));
        expect(ids.filter((id) => set.has(id))).toEqual(ids.filter((id) => model.has(id)));
        expect(sets.next()).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('of several places stay within their limit, in as many passes as it takes, each id in one of them', () => {
    const limit = 64 * 1024;
    const sets = new IdSets(limit);
    const [odd, even] = [sets.create(), sets.create()];
    const ids = Array.from({ length: 12_000 }, (_, id) => `id${id}`);
    const setOf = (index: number) => (index % 2 === 0 ? even : odd);
    const isDeleted = (index: number) => index % 10 < 2;
    const answers = ids.map((): boolean[] => []);
    let [passes, size] = [0, 0];
    for (; sets.next(); passes += 1) {
      for (const [index, id] of ids.entries()) setOf(index).add(id);
      for (const [index, id] of ids.entries()) if (isDeleted(index)) setOf(index).delete(id);
      expect(odd.bytes + even.bytes).toBeLessThanOrEqual(limit);
      size += odd.size + even.size;
      for (const [index, id] of ids.entries()) answers[index]?.push(...[setOf(index).has(id)].filter((answer) => answer !== undefined));
    }
    expect(passes).toBeGreaterThan(4);
    expect(size).toBe(ids.length * 0.8);
    expect(answers).toEqual(ids.map((_, index) => [!isDeleted(index)]));
  });
});
