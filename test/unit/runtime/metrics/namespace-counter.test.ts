import { createMetrics, registerNamespaceCounter } from '@tailwater/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const NAME = 'tailwater_test_namespace_records_total';

function counting(limit: number) {
  const totals = new Map<string, number>();
  const metrics = createMetrics();
  registerNamespaceCounter(metrics, { name: NAME, help: 'x' }, { limit, totals: () => totals });
  const read = async (): Promise<Record<string, number>> => {
    const { text } = await metrics.render();
    const lines = [...text.matchAll(/^tailwater_test_namespace_records_total\{namespace="([^"]+)"\} (\d+)$/gm)];
    return Object.fromEntries(lines.map(([, namespace, value]) => [namespace, Number(value)]));
  };
  const add = (namespace: string, count: number): void => void totals.set(namespace, (totals.get(namespace) ?? 0) + count);
  return { add, read };
}

describe('a counter by namespace', () => {
  it('has a label for each while there are few', async () => {
    const { add, read } = counting(3);
    add('a.b', 2);
    add('a.c', 1);
    expect(await read()).toEqual({ 'a.b': 2, 'a.c': 1 });
    add('a.c', 4);
    expect(await read()).toEqual({ 'a.b': 2, 'a.c': 5 });
  });

  it('keeps labels for the busiest; the rest share one, which never falls', async () => {
    const { add, read } = counting(2);
    for (const [namespace, count] of [
      ['a.a', 5],
      ['a.b', 50],
      ['a.c', 40],
      ['a.d', 1],
    ] as const)
      add(namespace, count);
    expect(await read()).toEqual({ 'a.b': 50, 'a.c': 40, other: 6 });
    add('a.a', 41);
    // Not much busier than the one with a label.
    expect(await read()).toEqual({ 'a.b': 50, 'a.c': 40, other: 47 });
    add('a.a', 100);
    expect(await read()).toEqual({ 'a.a': 100, 'a.b': 50, other: 47 });
    add('a.c', 1000);
    // What it had is there again; what it gains while it has its label is not in the other.
    expect(await read()).toEqual({ 'a.a': 100, 'a.c': 1040, other: 47 });
  });

  it('has one label alone where none is wanted', async () => {
    const { add, read } = counting(0);
    add('a.a', 5);
    add('a.b', 1);
    expect(await read()).toEqual({ other: 6 });
  });

  it('loses nothing and never falls, whatever grows when', async () => {
    const step = fc.array(fc.tuple(fc.constantFrom('a.a', 'a.b', 'a.c', 'a.d', 'a.e'), fc.integer({ min: 1, max: 1000 })), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4 }), fc.array(step, { maxLength: 12 }), async (limit, steps) => {
        const { add, read } = counting(limit);
        const last = new Map<string, number>();
        for (const grown of steps) {
          for (const [namespace, count] of grown) add(namespace, count);
          const series = Object.entries(await read());
          expect(series.filter(([namespace]) => namespace !== 'other').length).toBeLessThanOrEqual(limit);
          const growth = series.map(([namespace, value]) => value - (last.get(namespace) ?? 0));
          expect(Math.min(0, ...growth)).toBe(0);
          expect(growth.reduce((sum, each) => sum + each, 0)).toBe(grown.reduce((sum, [, count]) => sum + count, 0));
          for (const [namespace, value] of series) last.set(namespace, value);
        }
      }),
      { numRuns: 50 },
    );
  });
});
