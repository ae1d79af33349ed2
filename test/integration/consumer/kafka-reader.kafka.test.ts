// Reading topics to where they end, and `dead-letters list`, which does only that: without a consumer group, so nothing waits for one.
import { execFileSync } from 'node:child_process';
import { type Kafka, startKafka } from '@tailwater/devstack';
import { createKafka, createLogger, type KafkaClient, partitionEnds } from '@tailwater/runtime';
import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readGroups } from '#consumer/subscribe/kafka-groups.js';
import { readToEnd } from '#consumer/subscribe/kafka-reader.js';
import { runCommand } from '#test/support/run-command.js';

const DEAD_LETTERS = 'tw.es.dead-letters';

let kafka: Kafka;
let client: KafkaClient;
beforeAll(async () => {
  kafka = await startKafka({});
  client = createKafka({ brokers: kafka.brokers, clientId: 'test' }, createLogger({ name: 'consumer', level: 'silent' }));
});
afterAll(() => kafka?.stop());

const list = (target: string) =>
  runCommand('consumer', ['dead-letters', 'list', '--target', target, '--prefix', 'tw', '--kafka', kafka.brokers.join(',')]);

it('reads every partition from where it is told, and leaves out what was aborted', async () => {
  await kafka.createTopic('tw.shop.orders', { partitions: 3 });
  const producer = client.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  for (const ends of ['commit', 'abort', 'commit', 'abort'] as const) {
    const transaction = await producer.transaction();
    const messages = [0, 1, 2].flatMap((partition) => [1, 2].map((n) => ({ key: `${partition}`, value: `${ends} ${n}`, partition })));
    await transaction.send({ topic: 'tw.shop.orders', messages });
    await transaction[ends]();
  }
  await producer.disconnect();
  const read = async (from?: { topic: string; partition: number; offset: number }[]) => {
    const values: string[] = [];
    const options = {
      topics: ['tw.shop.orders', 'tw.shop.absent'],
      signal: new AbortController().signal,
      ...(from === undefined ? {} : { from }),
    };
    const ends = await readToEnd(client, options, ({ value }, { partition }) => values.push(`${partition} ${value?.toString() ?? ''}`));
    // Four transactions, each of two records and a marker.
    expect(ends.map(({ topic, high }) => [topic, high])).toEqual(Array(3).fill(['tw.shop.orders', 12]));
    return values;
  };
  expect(await read()).toEqual([0, 1, 2].flatMap((at) => ['1', '2', '1', '2'].map((n) => `${at} commit ${n}`)));
  expect(await read([{ topic: 'tw.shop.orders', partition: 1, offset: 4 }])).toEqual(['1 commit 1', '1 commit 2']);
  expect(await read([{ topic: 'tw.shop.orders', partition: 1, offset: 12 }])).toEqual([]);
});

it('reads what the broker compressed', async () => {
  const values: string[] = [];
  const topics = ['gzip', 'snappy', 'lz4', 'zstd'].map((codec) => `tw.compressed.${codec}`);
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  for (const topic of topics) {
    await kafka.createTopic(topic, { config: { 'compression.type': topic.split('.')[2] as string } });
    await producer.send({ topic, messages: Array.from({ length: 500 }, (_, n) => ({ value: `${n} `.repeat(n) })) });
  }
  await producer.disconnect();
  await readToEnd(client, { topics, signal: new AbortController().signal }, ({ value }) => values.push(String(value)));
  expect(values).toEqual(topics.flatMap(() => Array.from({ length: 500 }, (_, n) => `${n} `.repeat(n))));
});

// Of the same codecs librdkafka writes other framings: snappy has none.
it.skipIf(!hasKcat())('reads what librdkafka compressed (skipped where there is no kcat)', async () => {
  const lines = Array.from({ length: 2000 }, (_, n) => `${n} ${'again '.repeat(n % 50)}`);
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = `tw.librdkafka.${codec}`;
    await kafka.createTopic(topic);
    execFileSync('kcat', ['-P', '-b', kafka.brokers.join(','), '-t', topic, '-z', codec], { input: lines.join('\n') });
    const values: string[] = [];
    await readToEnd(client, { topics: [topic], signal: new AbortController().signal }, ({ value }) => values.push(String(value)));
    expect(values, codec).toEqual(lines);
  }
});

function hasKcat(): boolean {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

it('ends when the signal aborts', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(readToEnd(client, { topics: ['tw.shop.orders'], signal }, () => {})).rejects.toThrow('enough');
});

it('lists no letters where there is no topic, or all were removed, and leaves no group behind', async () => {
  expect(await list('mongo')).toMatchObject({ code: 0, stdout: 'No dead letters in tw.mongo.dead-letters\n' });
  await kafka.createTopic(DEAD_LETTERS, { config: { 'cleanup.policy': 'compact' } });
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic: DEAD_LETTERS, messages: [{ key: 'tw.shop.orders/0/1', value: null }] });
  await producer.disconnect();
  expect(await list('es')).toMatchObject({ code: 0, stdout: `No dead letters in ${DEAD_LETTERS}\n` });
  const groups = await kafka.withAdmin((admin) => admin.listGroups());
  expect(groups.groups).toEqual([]);
});

/** Members that ask for topics, and get none. */
const nothingForNobody: PartitionAssigner = () => ({
  name: 'nothing',
  version: 1,
  protocol: ({ topics }) => ({
    name: 'nothing',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
  }),
  assign: async ({ members }) =>
    members.map(({ memberId }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment: {}, userData: Buffer.alloc(0) }),
    })),
});

it('asks for the ends of any number of topics by few requests, and counts what nobody owns as lag', async () => {
  const topics = Array.from({ length: 20 }, (_, n) => `many.shop.c${n}`);
  await Promise.all(topics.map((topic) => kafka.createTopic(topic, { partitions: 2 })));
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  for (const topic of topics) await producer.send({ topic, messages: [0, 1, 1].map((partition) => ({ value: 'x', partition })) });
  await producer.disconnect();
  const admin = client.admin();
  await admin.connect();
  const requests: string[] = [];
  admin.on(admin.events.REQUEST, ({ payload }) => requests.push(payload.apiName));
  const ends = await partitionEnds(admin, [...topics, 'many.shop.absent']);
  await admin.disconnect();
  expect(ends.map(({ topic, partition, low, high }) => `${topic}/${partition} ${low} ${high}`).sort()).toEqual(
    topics.flatMap((topic) => [`${topic}/0 0 1`, `${topic}/1 0 2`]).sort(),
  );
  expect(requests.filter((name) => name === 'ListOffsets')).toHaveLength(2);
  expect(requests.length).toBeLessThan(6);

  const member = client.consumer({ groupId: 'many.es', allowAutoTopicCreation: false, partitionAssigners: [nothingForNobody] });
  await member.connect();
  await member.subscribe({ topics: topics.slice(0, 5) });
  const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
  await member.run({ eachBatch: async () => undefined });
  await joined;
  const [group] = await readGroups(client, 'many', () => undefined);
  expect(group?.topics.map(({ topic, partitions, committed, lag }) => ({ topic, partitions, committed, lag }))).toEqual(
    topics
      .slice(0, 5)
      .sort()
      .map((topic) => ({ topic, partitions: 2, committed: 0, lag: 3 })),
  );
  await member.disconnect();
});
