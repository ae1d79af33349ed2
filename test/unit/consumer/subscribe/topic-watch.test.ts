// New topics are shared out soon, many of them in a few rounds, and rounds that follow each other have the same ones.
import { createLogger, type TopicPartitions } from '@tailwater/runtime';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TopicCatalog } from '#consumer/subscribe/topic-catalog.js';
import { TopicWatch } from '#consumer/subscribe/topic-watch.js';

const POLL_MS = 2_000;
const stops: AbortController[] = [];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
  vi.useRealTimers();
});

/** A cluster with topics, and members that watch it; a change that one tells of makes all of them join again. */
function scene(members: number) {
  const cluster = new Map<string, TopicPartitions>();
  const add = (topic: string): void => void cluster.set(topic, { topic, id: topic, leaders: [1], replicas: 1 });
  const changes: string[][] = [];
  const watches = Array.from({ length: members }, (_, index) => {
    const catalog = {
      topics: new Map<string, TopicPartitions>(),
      refresh: async () => {
        catalog.topics = new Map(cluster);
      },
    };
    const onChange = ({ added }: { readonly added: readonly string[] }): void => {
      changes.push([...added]);
      void joinAll();
    };
    const options = { intervalMs: POLL_MS, isLeader: () => index === 0, onChange, onRenewed: () => undefined };
    const watch = new TopicWatch(catalog as unknown as TopicCatalog, options, createLogger({ name: 'test', level: 'silent' }));
    const stop = new AbortController();
    stops.push(stop);
    void watch.run(stop.signal);
    return watch;
  });
  const joinAll = (): Promise<(readonly string[])[]> => Promise.all(watches.map((watch) => watch.look()));
  return { add, changes, joinAll };
}

describe('topics that appear', () => {
  test('are told of at the next look when the group has none', async () => {
    const { add, changes, joinAll } = scene(1);
    await joinAll();
    await vi.advanceTimersByTimeAsync(500);
    add('a');
    await vi.advanceTimersByTimeAsync(POLL_MS);
    expect(changes).toEqual([['a']]);
  });

  test('one after the other, cost a few rounds and not one each', async () => {
    const { add, changes, joinAll } = scene(3);
    await joinAll();
    for (let topic = 0; topic < 60; topic += 1) {
      add(`topic-${topic}`);
      await vi.advanceTimersByTimeAsync(300);
    }
    await vi.advanceTimersByTimeAsync(20_000);
    expect(changes.flat()).toHaveLength(60);
    expect(changes.length).toBeLessThanOrEqual(4);
  });

  test('are none of the next round when it follows at once', async () => {
    const { add, joinAll } = scene(2);
    add('a');
    expect(await joinAll()).toEqual([['a'], ['a']]);
    add('b');
    await vi.advanceTimersByTimeAsync(POLL_MS / 2);
    expect(await joinAll()).toEqual([['a'], ['a']]);
    await vi.advanceTimersByTimeAsync(POLL_MS);
    expect(await joinAll()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});
