// Partitions without a leader are told when that lasts, by the process that would read them, and once it is over.

import type { Logger, TopicPartitions } from '@tailwater/runtime';
import { describe, expect, test } from 'vitest';
import { readiness } from '#consumer/cli/report.js';
import { Leaderless } from '#consumer/subscribe/leaderless.js';
import type { GroupView, TopicPartition } from '#consumer/subscribe/subscription.js';
import { ALL_IS_WELL } from '#test/support/all-is-well.js';

const topic = 'tw.shop.orders';

function scene(isOurs: (each: TopicPartition) => boolean = () => true) {
  const lines: string[] = [];
  let nowMs = 0;
  let listener = (): void => undefined;
  let topics = new Map<string, TopicPartitions>();
  const logger = {
    warn: (_: object, text: string) => lines.push(text),
    info: (_: object, text: string) => lines.push(text),
  } as unknown as Logger;
  const catalog = {
    get topics() {
      return topics;
    },
    onRefreshed: (told: () => void) => {
      listener = told;
    },
  };
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const leaderless = new Leaderless({ catalog, clock, logger }, { brokers: 'k:9092', isOurs });
  const look = (atMs: number, leaders: (number | undefined)[]) => {
    nowMs = atMs;
    topics = new Map([[topic, { topic, id: undefined, leaders, replicas: 1 }]]);
    listener();
    return leaderless.view;
  };
  return { look, lines };
}

describe('a partition without a leader', () => {
  test('is nothing to tell for a moment, then is told, and told again when it is over', () => {
    const { look, lines } = scene();
    expect(look(0, [1, undefined])).toEqual([]);
    expect(look(3_000, [1, undefined])).toEqual([]);
    expect(lines).toEqual([]);
    expect(look(6_000, [1, undefined])).toEqual([{ topic, partition: 1, forMs: 6_000 }]);
    expect(look(9_000, [1, undefined])).toHaveLength(1);
    expect(lines).toEqual([
      `Partitions cannot be read, the others go on: Kafka at k:9092 has no broker that leads a partition of ${topic}-1`,
    ]);
    expect(look(12_000, [1, 2])).toEqual([]);
    expect(lines.at(-1)).toMatch(/^All partitions have a leader again/);
  });

  test('is another process’s to tell when it is another’s to read', () => {
    const { look, lines } = scene(({ partition }) => partition === 0);
    look(0, [1, undefined]);
    expect(look(60_000, [1, undefined])).toEqual([]);
    expect(lines).toEqual([]);
  });

  test('is not over while nobody has been given it anew', () => {
    let isOurs = true;
    const { look, lines } = scene(() => isOurs);
    look(0, [undefined]);
    look(6_000, [undefined]);
    isOurs = false;
    look(9_000, [undefined]);
    isOurs = true;
    look(12_000, [undefined]);
    expect(lines).toHaveLength(1);
  });

  test('makes its process not ready', () => {
    const { look } = scene();
    look(0, Array(9).fill(undefined));
    const leaderless = look(6_000, Array(9).fill(undefined));
    const late = { partitions: 2, forMs: 12_000 };
    const group: GroupView = {
      isMember: true,
      sinceMs: 0,
      rebalances: 1,
      lateAnswers: 0,
      elsewhere: undefined,
      nobodys: undefined,
      leaderless,
      denied: [],
      late,
    };
    const health = readiness(
      { failure: undefined },
      { group, waiting: [], unreadable: [], target: undefined as never },
      'k:9092',
      ALL_IS_WELL,
    );
    expect(health.ready).toBe(false);
    expect(health.reasons).toEqual([
      `Kafka at k:9092 has no broker that leads a partition of ${[0, 1, 2, 3, 4].map((each) => `${topic}-${each}`).join(', ')} and 4 more`,
      '2 partitions could not be begun for 12 s: no broker tells where the group stands in them',
    ]);
  });
});
