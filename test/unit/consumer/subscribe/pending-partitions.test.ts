// A partition begins as soon as its own leader has told where the group stands: what has no leader, or one that does not answer, keeps no other waiting.
import { createLogger } from '@tailwater/runtime';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PendingPartitions } from '#consumer/subscribe/pending-partitions.js';
import { type GroupPartitionOffsets, partitionName, type TopicPartition } from '#consumer/subscribe/subscription.js';

const topic = 'tw.shop.orders';
const partitions = [0, 1, 2].map((partition) => ({ topic, partition }));
const stop = new AbortController();

afterEach(() => vi.useRealTimers());

/** Partitions with leaders, brokers of which some do not answer, and what began. */
function scene(leaders: (number | undefined)[]) {
  vi.useFakeTimers();
  const begun: string[] = [];
  const silent = new Set<number>();
  const refused = new Set<number>();
  const asked: number[] = [];
  let refreshes = 0;
  const read = async (led: readonly TopicPartition[]): Promise<GroupPartitionOffsets[]> => {
    const leader = leaders[led[0]?.partition ?? 0] as number;
    asked.push(leader);
    if (silent.has(leader)) return new Promise(() => undefined);
    if (refused.has(leader)) throw new Error('not now');
    return led.map((each) => ({ ...each, committed: undefined, metadata: null, low: 0, end: 0, tombstonesKeptMs: 0 }));
  };
  const catalog = {
    leaderOf: (_: string, partition: number) => leaders[partition],
    refresh: async () => {
      refreshes += 1;
    },
  };
  const beginnings = new PendingPartitions(
    { offsets: { read }, catalog, logger: createLogger({ name: 'test', level: 'silent' }) },
    (each) => begun.push(...each.map(partitionName)),
  );
  return { beginnings, begun, silent, refused, asked, leaders, refreshes: () => refreshes };
}

describe('partitions that were given', () => {
  test('begin together when all have a leader, with one question to each', async () => {
    const { beginnings, begun, asked } = scene([1, 2, 1]);
    await beginnings.begin(partitions, stop.signal);
    expect(begun.sort()).toEqual(partitions.map(partitionName));
    expect(asked).toEqual([1, 2]);
  });

  test('begin without the one that has no leader, which begins when it has one', async () => {
    const { beginnings, begun, leaders } = scene([1, undefined, 2]);
    const given = beginnings.begin(partitions, stop.signal);
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.sort()).toEqual([`${topic}/0`, `${topic}/2`]);
    await vi.advanceTimersByTimeAsync(1_000);
    await given;
    expect(partitions.map((each) => beginnings.has(each))).toEqual([false, true, false]);
    leaders[1] = 2;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(begun.at(-1)).toBe(`${topic}/1`);
    expect(beginnings.has({ topic, partition: 1 })).toBe(false);
  });

  test('begin without those of a broker that does not answer, which begin under another leader', async () => {
    const { beginnings, begun, silent, leaders } = scene([1, 2, 1]);
    silent.add(1);
    const given = beginnings.begin(partitions, stop.signal);
    await vi.advanceTimersByTimeAsync(1_000);
    await given;
    expect(begun).toEqual([`${topic}/1`]);
    leaders[0] = 2;
    leaders[2] = 3;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(begun.sort()).toEqual(partitions.map(partitionName));
  });

  test('are tried again while they are refused, ever more rarely', async () => {
    const { beginnings, begun, refused, asked, refreshes } = scene([1, 1, 1]);
    refused.add(1);
    void beginnings.begin(partitions, stop.signal);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.length).toBeLessThan(40);
    expect(refreshes()).toBeGreaterThan(20);
    refused.clear();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(begun).toEqual(partitions.map(partitionName));
  });

  test('do not begin once they may be another’s, also when the answer is under way', async () => {
    const { beginnings, begun, leaders } = scene([1, undefined, 1]);
    const given = beginnings.begin(partitions, stop.signal);
    beginnings.cancel();
    await given;
    leaders[1] = 1;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begun).toEqual([]);
  });

  test('leave nothing behind when the process stops', async () => {
    const { beginnings, begun, leaders } = scene([1, undefined, 1]);
    const stopping = new AbortController();
    const given = beginnings.begin(partitions, stopping.signal);
    stopping.abort();
    await given;
    leaders[1] = 1;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begun).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('of dozens of brokers make Node suspect no leak', async () => {
    const many = Array.from({ length: 30 }, (_, partition) => ({ topic, partition }));
    const { beginnings, silent } = scene(many.map(({ partition }) => partition));
    for (const { partition } of many) silent.add(partition);
    const warnings: string[] = [];
    const warned = ({ name }: Error) => void warnings.push(name);
    process.on('warning', warned);
    const begun = beginnings.begin(many, stop.signal);
    await vi.advanceTimersByTimeAsync(1_000);
    await begun;
    process.off('warning', warned);
    beginnings.cancel();
    expect(warnings).toEqual([]);
  });

  test('are late when nobody tells where the group stands in them, and only then', async () => {
    const { beginnings, refused } = scene([1, undefined, 2]);
    refused.add(2);
    void beginnings.begin(partitions, stop.signal);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(beginnings.late).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(beginnings.late).toEqual({ partitions: 1, forMs: 11_000 });
    refused.clear();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(beginnings.late).toBeUndefined();
    beginnings.cancel();
  });
});
