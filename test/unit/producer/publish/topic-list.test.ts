// Brokers that do not know the same: what one has not heard of yet, or no more, is not taken for gone on its word alone.
import { type KafkaClient, RequestTimes, type TopicPartitions, WireWriter } from '@tailwater/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { TopicList } from '#producer/publish/topic-list.js';
import { findLostTopics } from '#producer/publish/topic-losses.js';

type Protocol = { readonly response: { decode(answer: Buffer): Promise<unknown> } };

/** What a broker says of all brokers and of the topics that it knows, each of one partition. */
function metadata(nodes: readonly number[], topics: readonly string[]): Buffer {
  const to = new WireWriter().int32(0);
  to.array(nodes, (node) => to.int32(node).string('k').int32(node).string(null))
    .string(null)
    .int32(1);
  to.array(topics, (topic) =>
    to
      .int16(0)
      .string(topic)
      .boolean(false)
      .array([0], () => {
        to.int16(0).int32(0).int32(1);
        for (let list = 0; list < 3; list += 1) to.array([1], (node) => to.int32(node));
      }),
  );
  return to.bytes;
}

/** Brokers by node id with the topics that each knows; undefined for one that is away. All are listed. The port tells which is asked; that of the given address is 0. */
function cluster(brokers: Readonly<Record<number, readonly string[] | undefined>>) {
  const nodes = Object.keys(brokers).map(Number);
  const asked: number[] = [];
  const versions = Array.from({ length: 80 }, () => ({ minVersion: 0, maxVersion: 5 }));
  const pool = (node: number) => ({
    ...{ host: 'k', port: node, pool: [] },
    send: async ({ response }: Protocol) => {
      asked.push(node);
      return response.decode(metadata(nodes, brokers[node] ?? []));
    },
  });
  const kafka = {
    times: new RequestTimes(),
    [Symbol('private:Kafka:createCluster')]: () => ({
      rootLogger: {},
      connectionPoolBuilder: { build: async (address?: { port: number }) => pool(address?.port ?? nodes[0] ?? 0) },
      brokerPool: {
        createBroker: ({ connectionPool }: { connectionPool: ReturnType<typeof pool> }) => ({
          connectionPool,
          versions,
          connect: async () => {
            if (brokers[connectionPool.port] === undefined)
              throw Object.assign(new Error('It is away'), { name: 'KafkaJSConnectionError' });
          },
          disconnect: async () => {},
          isConnected: () => true,
        }),
      },
    }),
  };
  const list = new TopicList(kafka as unknown as KafkaClient);
  lists.push(list);
  return { list, asked };
}

const lists: TopicList[] = [];
afterEach(() => {
  for (const list of lists.splice(0)) list.close();
});

const orders = { name: 'shop.orders', database: 'shop', collection: 'orders', included: true };
const known = { partitions: 1, id: undefined };
const lost = (list: TopicList, found?: ReadonlyMap<string, TopicPartitions>) =>
  findLostTopics({ read: (before) => list.read(before), nameOf: () => 'tw.shop.orders' }, [orders], () => known, found);

describe('a topic that one of two brokers does not know', () => {
  it.each([1, 2])('is not lost, whichever is asked first, and whatever else is asked in between (%i)', async (lagging) => {
    const { list } = cluster({ [lagging]: [], [3 - lagging]: ['tw.shop.orders'] });
    for (let turn = 0; turn < 4; turn += 1) {
      const found = await list.read();
      if (turn % 2 === 0) await list.read();
      expect(await lost(list, found)).toEqual({ gone: [], replaced: [] });
    }
  });

  it('is lost when both do not', async () => {
    const { list, asked } = cluster({ 1: [], 2: ['tw.others'] });
    expect(await lost(list)).toEqual({ gone: [orders], replaced: [] });
    expect(new Set(asked.slice(-2))).toEqual(new Set([1, 2]));
  });

  it('is not lost on the word of one while the other is away', async () => {
    const { list } = cluster({ 1: [], 2: undefined });
    await expect(lost(list)).rejects.toMatchObject({ name: 'KafkaJSConnectionError' });
  });
});

it('a broker alone is asked twice', async () => {
  const { list, asked } = cluster({ 1: [] });
  expect(await lost(list)).toEqual({ gone: [orders], replaced: [] });
  expect(asked).toEqual([1, 1, 1]);
  expect(list.brokers).toBe(1);
});

it('the answer that a broker gives is read as it was written', async () => {
  const { list } = cluster({ 7: ['tw.a.b'] });
  expect([...(await list.read()).values()]).toEqual([{ topic: 'tw.a.b', id: undefined, leaders: [1], replicas: 1 }]);
});
