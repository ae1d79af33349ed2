// What somebody does to topics between two looks at them, and at brokers that tell no ids: neither can be timed with real brokers.
import type { TopicPartitions } from '@tailwater/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { KafkaTopics } from '#producer/publish/kafka-topics.js';

const orders: TrackedNamespace = { name: 'shop.orders', database: 'shop', collection: 'orders', included: true };
const TOPIC = 'tw.shop.orders';
const topicOf = (id: string | undefined): TopicPartitions => ({ topic: TOPIC, id, leaders: [1], replicas: 1 });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A cluster that knows this topic. */
function cluster(known: TopicPartitions | undefined) {
  const made: string[] = [];
  const state = { topic: known, isTold: true, made };
  const admin = {
    createTopics: async ({ topics }: { topics: { topic: string }[] }) => {
      made.push(...topics.map(({ topic }) => topic));
      state.topic = topicOf('made');
      return true;
    },
    fetchTopicMetadata: async ({ topics }: { topics: string[] }) => ({
      topics: topics.map((name) => ({ name, partitions: [{ leader: 1 }] })),
    }),
    describeConfigs: async () => ({
      resources: [
        {
          resourceName: TOPIC,
          configEntries: [
            { configName: 'cleanup.policy', configValue: 'compact' },
            { configName: 'max.message.bytes', configValue: '20971520' },
          ],
        },
      ],
    }),
  };
  const list = {
    brokers: 1,
    keptSettings: async () => ({}),
    read: async () => new Map(state.topic === undefined || !state.isTold ? [] : [[TOPIC, state.topic]]),
  };
  const topics = new KafkaTopics({ admin: admin as never, list, brokers: 'k:9092' }, { prefix: 'tw', partitions: 1, replicationFactor: 1 });
  return { state, topics };
}

async function settled(work: Promise<unknown>): Promise<unknown> {
  const outcome = work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
  await vi.advanceTimersByTimeAsync(2000);
  return outcome;
}

describe('a topic that is lost behind the look that a session begins with', () => {
  it.each<[string, string | undefined, TopicPartitions | undefined]>([
    ['deleted', 'first', undefined],
    ['deleted, at brokers without ids', undefined, undefined],
    ['made anew', 'first', topicOf('another')],
  ])('is neither made nor taken when it was %s: its copy is not whole', async (_, id, later) => {
    const { state, topics } = cluster(topicOf(id));
    topics.remember(new Map([[orders.name, { partitions: 1, id }]]));
    expect(await settled(topics.lost([orders]))).toBe('done');
    state.topic = later;
    expect(await settled(topics.ensure([orders]))).toBe('TW1223');
    expect(state.made).toEqual([]);
    expect(topics.takeUnrecorded()).toEqual([]);
  });

  it('is made when the session knows that it is lost, or has never known it', async () => {
    for (const recorded of [[[orders.name, { partitions: 1, id: 'first' }] as const], []]) {
      const { state, topics } = cluster(undefined);
      topics.remember(new Map(recorded));
      expect(await settled(topics.lost([orders]))).toBe('done');
      expect(await settled(topics.ensure([orders]))).toBe('done');
      expect(state.made).toEqual([TOPIC]);
    }
  });
});

describe('a topic that is deleted while it is in use', () => {
  it.each(['first', undefined])('is lost, whether or not brokers tell ids (%s)', async (id) => {
    const { state, topics } = cluster(topicOf(id));
    await topics.ensure([orders]);
    expect(await settled(topics.look())).toBe('done');
    state.topic = undefined;
    expect(await settled(topics.look())).toBe('TW1223');
  });

  it('is not lost while no broker has told of it', async () => {
    const { state, topics } = cluster(undefined);
    state.isTold = false;
    expect(await settled(topics.ensure([orders]))).toBe('done');
    expect(state.made).toEqual([TOPIC]);
    expect(await settled(topics.look())).toBe('done');
  });
});
