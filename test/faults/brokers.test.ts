// Three brokers with the settings that people run, and what happens to them on a working day: leaders move, brokers are restarted one after the other, topics appear
// while consumers join. Every record is accounted for by its offset, not only by what the target holds at the end.
import { FaultProxy, type KafkaCluster, startKafkaCluster, waitFor } from '@tailwater/devstack';
import { TopicAdvice } from '@tailwater/runtime';
import { formatNamespace, type Namespace, topicName } from '@tailwater/schema';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DeadLetterTopic } from '#consumer/dead-letters/kafka-dead-letter-topic.js';
import { KafkaTopics } from '#producer/publish/kafka-topics.js';
import { KafkaTransactionSender } from '#producer/publish/kafka-transaction-sender.js';
import { ensureOwnTopics } from '#producer/publish/own-topics.js';
import { TopicList } from '#producer/publish/topic-list.js';
import { DEAD_LETTERS } from '#producer/publish/topic-settings.js';
import { readTopic } from '#test/support/read-topic.js';
import { runConsumer } from '../integration/consumer/support/run-consumer.js';
import { type RunningConsumer, World } from '../integration/consumer/support/world.js';
import { keptLog } from '../integration/producer/support/kept-log.js';
import { namespaceOf } from '../integration/producer/support/namespace.js';
import { type CommitSample, documents, lostByCommits, watchCommits, watchMembers, writeOn } from './support/backlog.js';
import { SlowTarget } from './support/slow-target.js';

const { ConfigResourceTypes } = kafkajs;
const MIN_IN_SYNC = 'min.insync.replicas';
const PARTITIONS = 8;
const RECORDS = 20_000;
const PER_TRANSACTION = 500;
/** Ceilings that a slow machine does not reach, in milliseconds. */
const CATCH_UP_MS = 300_000;
const TEST_MS = 600_000;

let world: World<KafkaCluster<FaultProxy>>;

beforeAll(async () => {
  // Kafka's own default, with which topics that ask for nothing acknowledge what one broker alone has.
  world = await World.on(startKafkaCluster({ proxy: FaultProxy.start, properties: { [MIN_IN_SYNC]: 1 } }));
});

afterAll(async () => {
  await world?.stop();
});

afterEach(async () => {
  await world.stopConsumers();
});

const ONE_A_PROCESS = { most: 2, tooMany: [] };

/** Every record of the topic, by its place, that no consumer has applied, and those that a commit left out for a time: a client that sends again what was not answered may have written some twice. */
async function unaccounted(topic: string, targets: readonly SlowTarget[], samples: readonly CommitSample[]) {
  const records = await readTopic(
    world.kafka.nodes.map(({ address }) => address),
    topic,
  );
  expect(records.length).toBeGreaterThanOrEqual(RECORDS);
  const never = records.filter((record) => !targets.some((target) => target.has(topic, record)));
  const { lost, judged } = lostByCommits(topic, records, samples);
  return { lost: [...never.map(({ partition, offset }) => `${topic}/${partition}/${offset}`), ...lost], judged };
}

/** Does the work while two slow consumers have a backlog, and answers with the records that neither has applied once both say that nothing is left. */
async function underBacklog(prefix: string, work: (topic: string) => Promise<void>): Promise<{ lost: string[]; members: object }> {
  const namespace: Namespace = { database: 'shop', collection: 'orders' };
  const topic = topicName(prefix, namespace);
  await world.createTopic(prefix, namespace, { partitions: PARTITIONS });
  for (let from = 0; from < RECORDS; from += PER_TRANSACTION) await world.publish(prefix, namespace, documents(from, PER_TRANSACTION));
  const targets = [new SlowTarget(500), new SlowTarget(500)];
  const apply = { lanes: 2, batch: { count: 50, bytes: 1_000_000, lingerMs: 1 } };
  const consumers: RunningConsumer[] = targets.map((target) => world.consumer(prefix, { target, apply }));
  const watch = new AbortController();
  const watching = watchMembers(world, prefix, () => consumers.length, watch.signal);
  const sampling = watchCommits(world, { prefix, topic, targets }, watch.signal);
  await waitFor(() => targets.every(({ applied }) => applied.size > 0), { describe: 'both at work', timeoutMs: CATCH_UP_MS });
  const write = new AbortController();
  const writing = writeOn(world, { prefix, namespace, from: RECORDS }, write.signal);
  const beganAtMs = performance.now();
  await work(topic);
  write.abort();
  const written = await writing;
  const workedMs = performance.now() - beganAtMs;
  for (const target of targets) target.delayMs = 0;
  await waitFor(() => consumers.map(({ pipeline }) => pipeline.lag), {
    describe: (lags) => `a lag of 0 at both, not ${lags}`,
    until: (lags) => lags.every((lag) => lag === 0),
    timeoutMs: CATCH_UP_MS,
  });
  watch.abort();
  const [samples, members] = [await sampling, await watching];
  const { lost, judged } = await unaccounted(topic, targets, samples);
  expect(judged).toBeGreaterThan(RECORDS);
  console.log(
    `${prefix}: ${RECORDS + written} records, ${Math.round(workedMs / 1000)} s, ${samples.length} samples of commits, ${judged} keys judged, ${lost.length} lost`,
  );
  return { lost, members };
}

const settingOf = (topic: string, name: string): Promise<string | undefined> =>
  world.kafka.withAdmin(async (admin) => {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }];
    return (await admin.describeConfigs({ includeSynonyms: false, resources })).resources[0]?.configEntries[0]?.configValue;
  });

describe('three brokers', () => {
  test('a leader that moves to a broker that takes other records of the same transaction loses and doubles none of them', async () => {
    const topic = 'sent.shop.orders';
    await world.kafka.createTopic(topic, { partitions: 2, config: { [MIN_IN_SYNC]: 2 } });
    const sender = await KafkaTransactionSender.connect(world.client, 'sent');
    const send = (round: number) =>
      sender.send([
        { topic, messages: [0, 1].map((partition) => ({ key: Buffer.from(`${round}`), value: Buffer.from(`${partition}`), partition })) },
      ]);
    try {
      await world.kafka.reassign(topic, 0, [1, 2, 3]);
      for (let round = 0; round < 4; round += 1) {
        // The sender knows the leaders of before: partition 1 has another one by then, the same as partition 0's.
        await world.kafka.lead(topic, 1, 2 + (round % 2));
        await send(2 * round);
        await world.kafka.lead(topic, 1, 1);
        await send(2 * round + 1);
      }
    } finally {
      await sender.close();
    }
    const records = await readTopic(world.kafka.brokers, topic);
    const rounds = Array.from({ length: 8 }, (_, round) => `${round}`);
    for (const partition of [0, 1]) {
      expect(records.filter((record) => record.partition === partition).map(({ key }) => key?.toString())).toEqual(rounds);
    }
  });

  test(
    'a partition’s leader moves back and forth under a backlog: nothing that is committed was left out',
    async () => {
      const { lost, members } = await underBacklog('moved', async (topic) => {
        for (let move = 0; move < PARTITIONS; move += 1) await world.kafka.moveLeader(topic, move % PARTITIONS);
      });
      expect(lost).toEqual([]);
      expect(members).toEqual(ONE_A_PROCESS);
    },
    TEST_MS,
  );

  test(
    'brokers are restarted one after the other under a backlog: nothing that is committed was left out',
    async () => {
      const rounds = Number(process.env['TAILWATER_TEST_ROLLS'] ?? 1);
      const { lost, members } = await underBacklog('rolled', async () => {
        for (let round = 0; round < rounds; round += 1) await world.kafka.roll();
      });
      expect(lost).toEqual([]);
      expect(members).toEqual(ONE_A_PROCESS);
    },
    TEST_MS,
  );

  test('topics that appear while consumers join are read, by one member a process, and cost a handful of rebalances', async () => {
    const prefix = 'many';
    const namespaces = Array.from({ length: 60 }, (_, index): Namespace => ({ database: 'shop', collection: `c${index}` }));
    const targets = [new SlowTarget(1), new SlowTarget(1)];
    const consumers: RunningConsumer[] = [];
    const watch = new AbortController();
    const watching = watchMembers(world, prefix, () => consumers.length, watch.signal);
    for (const [index, namespace] of namespaces.entries()) {
      // The group is joining while the first topics appear, and the second member comes when some are there.
      if (index === 0 || index === 20)
        consumers.push(world.consumer(prefix, { target: targets[consumers.length] as SlowTarget, topicPollMs: 2_000 }));
      await world.createTopic(prefix, namespace, { partitions: 2 });
      await world.publish(prefix, namespace, documents(0, 20));
    }
    const missing = async (): Promise<string[]> => {
      const all = new Set(targets.flatMap(({ applied }) => [...applied]));
      return namespaces
        .filter((namespace) => [...all].filter((place) => place.startsWith(`${topicName(prefix, namespace)}/`)).length < 20)
        .map(formatNamespace);
    };
    await waitFor(missing, {
      describe: (left) => `all collections, without ${left}`,
      until: (left) => left.length === 0,
      timeoutMs: 60_000,
    });
    watch.abort();
    expect(await watching).toEqual(ONE_A_PROCESS);
    const rebalances = consumers.map(({ pipeline }) => pipeline.group.rebalances);
    expect(Math.max(...rebalances)).toBeLessThan(namespaces.length / 3);
    for (const { pipeline } of consumers) expect(pipeline.group.isMember).toBe(true);
    await waitFor(() => consumers.map(({ pipeline }) => pipeline.lag), {
      describe: (lags) => `a lag of 0 at both, not ${lags}`,
      until: (lags) => lags.every((lag) => lag === 0),
      timeoutMs: 60_000,
    });
  });

  test('a partition without a leader keeps no other of its member waiting, is told, and is read when it has one', async () => {
    const prefix = 'headless';
    const namespace: Namespace = { database: 'shop', collection: 'orders' };
    const topic = topicName(prefix, namespace);
    await world.createTopic(prefix, namespace, { partitions: 3 });
    await world.publish(prefix, namespace, documents(0, 60));
    const [first] = await readTopic(world.kafka.brokers, topic);
    const partition = first?.partition as number;
    await world.kafka.reassign(topic, partition, [3]);
    await world.kafka.node(3).shutdown();
    const target = new SlowTarget(0);
    const { pipeline } = world.consumer(prefix, { target });
    try {
      await waitFor(() => pipeline.group.leaderless.map((each) => each.partition), {
        describe: (told) => `partition ${partition} to be told, not ${told}`,
        until: (told) => told.length === 1 && told[0] === partition,
      });
      expect([...pipeline.partitions].map((each) => each.partition)).not.toContain(partition);
      await waitFor(() => [...pipeline.partitions].map(({ lag }) => lag), {
        describe: (lags) => `the two others to be applied, not ${lags}`,
        until: (lags) => lags.length === 2 && lags.every((lag) => lag === 0),
      });
      expect(pipeline.group.isMember).toBe(true);
      expect(pipeline.lag).toBeUndefined();
      expect(target.applied.size).toBeGreaterThan(0);
      // The command says what it can.
      const args = ['status', '--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
      expect(JSON.parse(await runConsumer([...args, '--json']))).toMatchObject({
        groups: [{ group: `${prefix}.test`, topics: [{ topic, partitions: 3, end: null, lag: null }] }],
      });
      expect(await runConsumer(args)).toMatch(new RegExp(`${topic.replaceAll('.', '[.]')}\\s.*\\s-\\s+-\\s`));
    } finally {
      await world.kafka.node(3).start();
    }
    await waitFor(() => pipeline.lag, { describe: (lag) => `a lag of 0, not ${lag}`, until: (lag) => lag === 0, timeoutMs: 60_000 });
    const records = await readTopic(world.kafka.brokers, topic);
    expect(records.filter((record) => !target.has(topic, record))).toEqual([]);
    expect(pipeline.group).toMatchObject({ leaderless: [], rebalances: 1 });
  });

  test('connections that lead nowhere any more, without a sign of it, are given up, and all goes on over new ones', async () => {
    const prefix = 'stranded';
    const namespace: Namespace = { database: 'shop', collection: 'orders' };
    await world.createTopic(prefix, namespace, { partitions: 3 });
    await world.publish(prefix, namespace, documents(0, 20));
    const target = new SlowTarget(0);
    const { pipeline } = world.consumer(prefix, { target });
    const applied = (count: number) =>
      waitFor(() => target.applied.size, { describe: `${count} applied`, until: (size) => size === count, timeoutMs: 60_000 });
    await applied(20);
    for (const proxy of world.kafka.proxies) proxy.strand();
    await world.producer.disconnect();
    await world.producer.connect();
    await world.publish(prefix, namespace, documents(20, 20));
    await applied(40);
    await waitFor(() => pipeline.lag, { describe: (lag) => `a lag of 0, not ${lag}`, until: (lag) => lag === 0, timeoutMs: 60_000 });
    await world.untilCommitted(prefix, namespace);
    expect(pipeline.group.isMember).toBe(true);
  });

  test('topics that are made where the brokers ask for one replica in sync keep on two what they acknowledge; one replica is told', async () => {
    const { client, kafka } = world;
    const { logger, lines } = keptLog();
    const made = async (prefix: string, replicationFactor: number): Promise<string[]> => {
      const settings = { prefix, partitions: 2, replicationFactor };
      const advice = new TopicAdvice(client.brokers, prefix, logger);
      await ensureOwnTopics(client, settings, advice, logger, new AbortController().signal);
      const [admin, list] = [client.admin(), new TopicList(client)];
      try {
        await admin.connect();
        const topics = new KafkaTopics({ admin, list, brokers: client.brokers }, settings, { advice });
        await topics.ensure(['a', 'b'].map((name) => namespaceOf(`shop.${name}`)));
        await topics.ensureLog(`${prefix}.producer.dead-letters`, DEAD_LETTERS);
      } finally {
        list.close();
        await admin.disconnect();
      }
      return ['shop.a', 'shop.b', 'checkpoints', 'signals', 'producer.dead-letters'].map((name) => `${prefix}.${name}`);
    };
    const letters = new DeadLetterTopic(client, 'kept.test.dead-letters', logger);
    await letters.create();
    for (const topic of [...(await made('kept', -1)), letters.topic])
      expect([topic, await settingOf(topic, MIN_IN_SYNC)]).toEqual([topic, '2']);
    expect(lines.filter(({ code }) => code !== undefined)).toEqual([]);
    await made('alone', 1);
    expect(lines.filter(({ code }) => code !== undefined).map(({ code, topics }) => [code, topics])).toEqual([
      ['TW1252', ['alone.checkpoints']],
      ['TW1252', ['alone.signals']],
      ['TW1252', ['alone.shop.a', 'alone.shop.b']],
      ['TW1252', ['alone.producer.dead-letters']],
    ]);
    // Others made these.
    await kafka.createTopic('weak.test.dead-letters', { config: { 'cleanup.policy': 'delete' } });
    await new DeadLetterTopic(client, 'weak.test.dead-letters', logger).compare();
    expect(lines.at(-1)).toMatchObject({ code: 'TW1250', topics: ['weak.test.dead-letters'] });
    expect(lines.at(-1)?.msg).toContain('--add-config cleanup.policy=compact,max.message.bytes=25165824,min.insync.replicas=2');
  });

  test('a log that lost its end, and is longer than before by then, is read from where it lost it', async () => {
    // One consumer runs all the time; the other is away while the log is cut and grows, and knows only what it has committed.
    const [live, away] = ['cut-live', 'cut-away'].map((prefix) => ({ prefix, namespace: { database: 'shop', collection: prefix } }));
    const both = [live, away] as { readonly prefix: string; readonly namespace: Namespace }[];
    const config = { 'unclean.leader.election.enable': true, 'min.insync.replicas': 1 };
    const publish = async (from: number, count: number) => {
      for (const { prefix, namespace } of both) await world.publish(prefix, namespace, documents(from, count));
    };
    const missing = async ({ namespace }: { readonly namespace: Namespace }, ids: readonly number[]) => {
      const stored = await world.stored(namespace);
      return ids.filter((id) => !stored.has(id));
    };
    const applied = async (place: { readonly namespace: Namespace }, from: number, count: number) => {
      const ids = documents(from, count).map(({ document }) => document._id);
      await waitFor(() => missing(place, ids), {
        describe: (left) => `the documents from ${from} on, without ${left?.length}: ${left?.slice(0, 3)}`,
        until: (left) => left.length === 0,
        timeoutMs: 60_000,
      });
    };
    for (const { prefix, namespace } of both) {
      await world.createTopic(prefix, namespace, { partitions: 1, config });
      await world.kafka.reassign(topicName(prefix, namespace), 0, [1, 2]);
      await world.kafka.lead(topicName(prefix, namespace), 0, 1);
    }
    await publish(0, 50);
    await world.kafka.node(2).shutdown();
    await publish(50, 50);
    const running = both.map(({ prefix }) => world.consumer(prefix));
    for (const place of both) await applied(place, 0, 100);
    for (const { prefix, namespace } of both) await world.untilCommitted(prefix, namespace);
    await running[1]?.stop();
    await world.kafka.node(1).kill9();
    await world.kafka.node(2).start();
    for (const { prefix, namespace } of both) {
      await waitFor(() => world.kafka.partition(topicName(prefix, namespace), 0), {
        describe: 'a leader that has less',
        until: ({ leader }) => leader === 2,
        timeoutMs: 60_000,
      });
    }
    await world.renewProducer();
    await publish(100, 100);
    await applied(both[0] as (typeof both)[0], 100, 100);
    running[1] = world.consumer((both[1] as (typeof both)[0]).prefix);
    await applied(both[1] as (typeof both)[0], 100, 100);
    for (const { pipeline } of running) {
      await waitFor(() => pipeline.lag, { describe: (lag) => `a lag of 0, not ${lag}`, until: (lag) => lag === 0, timeoutMs: 60_000 });
      // A delete that was lost too is at no target any more: a repair looks for it.
      expect([...pipeline.partitions].map(({ missed }) => missed)).toEqual([{ fromMs: expect.any(Number), toMs: expect.any(Number) }]);
    }
    await world.kafka.node(1).start();
    await world.kafka.untilInSync();
  });
});
