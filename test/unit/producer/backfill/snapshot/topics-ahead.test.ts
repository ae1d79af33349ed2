import { describe, expect, it } from 'vitest';
import { TopicsAhead } from '#producer/backfill/snapshot/topics-ahead.js';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';

const namespaces = Array.from({ length: 120 }, (_, n): TrackedNamespace => {
  return { name: `shop.c${n}`, database: 'shop', collection: `c${n}`, included: true };
});

/** What is asked for, and what answers. */
function asking(partitions: number, answer: () => Promise<void> = async () => undefined) {
  const asked: (readonly TrackedNamespace[])[] = [];
  const ahead = new TopicsAhead((some) => {
    asked.push(some);
    return answer();
  }, partitions);
  return { asked, ahead };
}

describe('TopicsAhead', () => {
  it('makes what is needed with what comes next, and the next ones when all of those are needed', async () => {
    const { asked, ahead } = asking(8);
    ahead.expect(namespaces);
    await ahead.need(namespaces.slice(0, 25));
    expect(asked).toEqual([namespaces.slice(0, 50)]);
    await ahead.need(namespaces.slice(25, 50));
    expect(asked.slice(1)).toEqual([namespaces.slice(25, 50), namespaces.slice(50, 100)]);
    await ahead.need(namespaces.slice(50, 75));
    expect(asked.slice(3)).toEqual([namespaces.slice(50, 75)]);
    await ahead.need(namespaces.slice(75, 100));
    expect(asked.slice(4)).toEqual([namespaces.slice(75, 100), namespaces.slice(100)]);
  });

  it('makes fewer at once of those that have more partitions, and all of them once', async () => {
    const { asked, ahead } = asking(1000);
    ahead.expect(namespaces);
    for (const namespace of namespaces) await ahead.need([namespace]);
    expect(new Set(asked.flat())).toEqual(new Set(namespaces));
    expect(Math.max(...asked.map(({ length }) => length))).toBe(1);
  });

  it('does not begin the next before what is needed is there', async () => {
    let made: () => void = () => undefined;
    const { asked, ahead } = asking(8, () => new Promise((resolve) => (made = resolve)));
    ahead.expect(namespaces);
    const needed = ahead.need(namespaces.slice(0, 50));
    expect(asked).toHaveLength(1);
    made();
    await needed;
    expect(asked).toHaveLength(2);
  });

  it('fails for who needs what cannot be made, and for nobody else', async () => {
    const { asked, ahead } = asking(8, () => Promise.reject(new Error('refused')));
    await expect(ahead.need(namespaces.slice(0, 1))).rejects.toThrow('refused');
    expect(asked).toHaveLength(1);
    let isRefused = false;
    const other = asking(8, async () => {
      if (isRefused) throw new Error('refused');
      isRefused = true;
    });
    other.ahead.expect(namespaces);
    await other.ahead.need(namespaces.slice(0, 50));
    expect(other.asked).toHaveLength(2);
  });

  it('asks for collections that nobody expected', async () => {
    const { asked, ahead } = asking(8);
    await ahead.need(namespaces.slice(0, 2));
    expect(asked).toEqual([namespaces.slice(0, 2)]);
  });
});
