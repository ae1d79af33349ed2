// Topics as a real broker makes them, and those that would lose data.
import { type Kafka, startKafka, waitFor } from '@tailwater/devstack';
import { createKafka, type KafkaClient, TopicAdvice } from '@tailwater/runtime';
import kafkajs, { type Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaTopics, type TopicSettings } from '#producer/publish/kafka-topics.js';
import { TopicList } from '#producer/publish/topic-list.js';

import { TopicWatch } from '#producer/publish/topic-watch.js';
import { keptLog } from './support/kept-log.js';
import { namespaceOf } from './support/namespace.js';

const { ConfigResourceTypes } = kafkajs;
const LARGEST_BATCH_BYTES = 20 * 1024 * 1024;
const WEEK_MS = 7 * 24 * 3600 * 1000;

let server: Kafka | undefined;
let kafka: KafkaClient;
let admin: Admin;
let list: TopicList;

beforeAll(async () => {
  server = await startKafka();
  kafka = createKafka({ brokers: server.brokers, clientId: 'test' }, keptLog().logger);
  admin = kafka.admin();
  await admin.connect();
  list = new TopicList(kafka);
});

afterAll(async () => {
  list?.close();
  await admin?.disconnect();
  await server?.stop();
});

const topicsOf = (settings: Partial<TopicSettings> = {}): KafkaTopics =>
  new KafkaTopics({ admin, list, brokers: kafka.brokers }, { prefix: 'tw', partitions: 4, replicationFactor: -1, ...settings });

async function settingsOf(topic: string, ...names: string[]): Promise<Record<string, string>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: names }],
  });
  return Object.fromEntries(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? []);
}

describe('KafkaTopics', () => {
  it('creates a compacted topic for large documents that keeps tombstones for a week, with small indexes', async () => {
    const topics = topicsOf();
    const orders = namespaceOf('shop.orders');
    expect(() => topics.layoutOf(orders)).toThrow(TypeError);
    await topics.ensure([orders]);
    expect(topics.layoutOf(orders)).toEqual({ topic: 'tw.shop.orders', partitions: 4 });
    const names = ['cleanup.policy', 'delete.retention.ms', 'max.message.bytes', 'segment.index.bytes'];
    expect(await settingsOf('tw.shop.orders', ...names)).toEqual({
      'cleanup.policy': 'compact',
      'delete.retention.ms': String(WEEK_MS),
      'max.message.bytes': String(LARGEST_BATCH_BYTES),
      'segment.index.bytes': String(1024 * 1024),
    });
  });

  it('takes a topic that is there with the partitions that it has', async () => {
    await topicsOf({ partitions: 3 }).ensure([namespaceOf('shop.existing')]);
    const [later, existing] = [topicsOf({ partitions: 8 }), namespaceOf('shop.existing')];
    await later.ensure([existing]);
    expect(later.layoutOf(existing).partitions).toBe(3);
  });

  it('asks the broker once about each namespace', async () => {
    const topics = topicsOf();
    const namespace = namespaceOf('shop.once');
    await topics.ensure([namespace]);
    let requests = 0;
    const remove = admin.on(admin.events.REQUEST, () => {
      requests += 1;
    });
    await topics.ensure([namespace]);
    remove();
    expect(requests).toBe(0);
  });

  it.each([
    ['delete', { 'cleanup.policy': 'delete' }, 'cleanup.policy=delete'],
    ['both', { 'cleanup.policy': 'compact,delete' }, 'cleanup.policy=compact,delete'],
    ['small', { 'cleanup.policy': 'compact', 'max.message.bytes': 10_000 }, 'max.message.bytes=10000'],
  ])('refuses a topic that would lose data: %s', async (name, config, told) => {
    await server?.createTopic(`tw.refused.${name}`, { config });
    const refusal = topicsOf().ensure([namespaceOf(`refused.${name}`)]);
    await expect(refusal).rejects.toMatchObject({ code: 'TW1203', retriable: false });
    await expect(refusal).rejects.toThrow(told);
  });

  it('tells of settings that lose data on a bad day, all topics in one line, once', async () => {
    await server?.createTopic('tw.weak.a', {
      config: { 'cleanup.policy': 'compact', 'max.message.bytes': LARGEST_BATCH_BYTES, 'delete.retention.ms': 1000 },
    });
    await server?.createTopic('tw.weak.b', {
      config: {
        'cleanup.policy': 'compact',
        'max.message.bytes': LARGEST_BATCH_BYTES,
        'delete.retention.ms': 1000,
        'unclean.leader.election.enable': true,
      },
    });
    const { logger, lines } = keptLog();
    const advice = new TopicAdvice(kafka.brokers, 'tw', logger);
    for (let session = 0; session < 2; session++) {
      const topics = new KafkaTopics(
        { admin, list, brokers: kafka.brokers },
        { prefix: 'tw', partitions: 1, replicationFactor: -1 },
        { advice },
      );
      await topics.ensure([namespaceOf('weak.a'), namespaceOf('weak.b'), namespaceOf('weak.made')]);
    }
    expect(lines).toMatchObject([{ code: 'TW1250', topics: ['tw.weak.a', 'tw.weak.b'] }]);
    const command = `for topic in tw.weak.a tw.weak.b; do kafka-configs.sh --bootstrap-server ${kafka.brokers} --alter --topic "$topic" --add-config delete.retention.ms=${WEEK_MS},unclean.leader.election.enable=false; done`;
    expect(lines[0]?.msg).toContain(command);
  });

  it('tells once of partitions that are added while a topic is in use, and goes on with those that it had', async () => {
    const { logger, lines } = keptLog();
    const advice = new TopicAdvice(kafka.brokers, 'tw', logger);
    const topics = new KafkaTopics(
      { admin, list, brokers: kafka.brokers },
      { prefix: 'tw', partitions: 1, replicationFactor: -1 },
      { advice },
    );
    const namespace = namespaceOf('growing.a');
    await topics.ensure([namespace]);
    const stop = new AbortController();
    let looks = 0;
    const watch = new TopicWatch(async () => {
      await topics.look();
      looks += 1;
    }, 20);
    const watching = watch.run(stop.signal);
    await waitFor(() => looks > 2, { describe: 'a look at the topics' });
    expect(lines).toEqual([]);
    await admin.createPartitions({ topicPartitions: [{ topic: 'tw.growing.a', count: 3 }] });
    await waitFor(() => lines.length > 0, { describe: 'it to be told' });
    looks = 0;
    await waitFor(() => looks > 2, { describe: 'further looks' });
    stop.abort();
    await watching;
    expect(lines).toMatchObject([{ code: 'TW1251', topics: ['tw.growing.a'] }]);
    expect(topics.layoutOf(namespace).partitions).toBe(1);
  });

  it('makes a topic once that several ask for at the same time', async () => {
    const topics = topicsOf();
    const [first, both, second] = [namespaceOf('together.a'), namespaceOf('together.b'), namespaceOf('together.c')];
    const created: string[] = [];
    const remove = admin.on(admin.events.REQUEST, ({ payload }) =>
      created.push(...[payload.apiName].filter((name) => name === 'CreateTopics')),
    );
    await Promise.all([topics.ensure([first, both]), topics.ensure([both, second]), topics.ensure([both])]);
    remove();
    expect(created).toHaveLength(2);
    expect(topics.takeUnrecorded().map(({ namespace }) => namespace.name)).toEqual(['together.a', 'together.b', 'together.c']);
  });

  it('makes many topics, and looks at as many, with a few requests', async () => {
    const many = Array.from({ length: 60 }, (_, n) => namespaceOf(`many.c${n}`));
    let requests = 0;
    const remove = admin.on(admin.events.REQUEST, () => {
      requests += 1;
    });
    await topicsOf({ partitions: 1 }).ensure(many);
    expect(requests).toBeLessThan(20);
    requests = 0;
    const again = topicsOf({ partitions: 1 });
    await again.find(many);
    remove();
    expect(requests).toBeLessThan(8);
    expect(again.layoutOf(many[59] as never)).toEqual({ topic: 'tw.many.c59', partitions: 1 });
    expect(await again.lost([...many, namespaceOf('many.none')])).toMatchObject({ gone: [{ name: 'many.none' }], replaced: [] });
  });

  it('refuses a name that Kafka would not take', async () => {
    await expect(topicsOf().ensure([namespaceOf(`shop.${'x'.repeat(245)}`)])).rejects.toMatchObject({ code: 'TW1206', retriable: false });
    await topicsOf().ensure([namespaceOf(`shop.${'x'.repeat(249 - 'tw.shop.'.length)}`)]);
    // A character that has to be escaped counts five times.
    await expect(topicsOf().ensure([namespaceOf(`shop.${'ä'.repeat(25)}`)])).rejects.toMatchObject({ code: 'TW1206' });
  });

  it('keeps namespaces apart that differ only in a dot and an underscore', async () => {
    const topics = topicsOf();
    const [dotted, flat] = [namespaceOf('near.a.b'), namespaceOf('near.a_b')];
    await topics.ensure([dotted]);
    await topics.ensure([flat]);
    expect(topics.layoutOf(dotted).topic).not.toBe(topics.layoutOf(flat).topic);
  });

  it('refuses a name that Kafka takes for that of another pipeline', async () => {
    await topicsOf({ prefix: 'one' }).ensure([namespaceOf('two.x_y')]);
    const collision = topicsOf({ prefix: 'one_two' }).ensure([namespaceOf('x.y')]);
    await expect(collision).rejects.toMatchObject({ code: 'TW1207', retriable: false });
    await expect(collision).rejects.toThrow('one.two.x_y');
  });

  it('says that there are too few brokers for the replicas', async () => {
    await expect(topicsOf({ replicationFactor: 3 }).ensure([namespaceOf('shop.replicas')])).rejects.toMatchObject({ code: 'TW1212' });
  });

  it('creates other compacted topics with the partitions that they need', async () => {
    expect(await topicsOf().ensureTopic('tw.checkpoints', 1)).toBe(1);
    expect(await topicsOf().ensureTopic('tw.checkpoints', 5)).toBe(1);
    expect(await settingsOf('tw.checkpoints', 'cleanup.policy')).toEqual({ 'cleanup.policy': 'compact' });
  });
});
