// Promise A on a real broker: records and the checkpoint that covers them are there together or not at all, and an earlier
// producer cannot write behind the back of a later one.
import { randomUUID } from 'node:crypto';
import { type Kafka, startKafka, waitFor } from '@tailwater/devstack';
import { createKafka, type KafkaClient, TopicAdvice } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointBase } from '#producer/checkpoint/base.js';
import { BaseKeeper } from '#producer/checkpoint/base-keeper.js';
import {
  type Checkpoint,
  type CheckpointMessage,
  CheckpointReader,
  clusterMessage,
  positionMessage,
  type SnapshotProgress,
  snapshotMessage,
} from '#producer/checkpoint/checkpoint-record.js';
import { type CheckpointLocation, claimCheckpoint, peekCheckpoint } from '#producer/checkpoint/kafka-checkpoint-store.js';
import type { OutgoingRecord } from '#producer/encode/record-encoder.js';
import { CHECKPOINT_LIMITS, limitTopicSize } from '#producer/publish/kafka-small-topics.js';
import { KafkaTopics } from '#producer/publish/kafka-topics.js';
import { KafkaTransactionSender } from '#producer/publish/kafka-transaction-sender.js';
import { ensureOwnTopics } from '#producer/publish/own-topics.js';
import { Publisher } from '#producer/publish/publisher.js';
import { TopicList } from '#producer/publish/topic-list.js';

import { readTopic } from '#test/support/read-topic.js';
import { keptLog } from './support/kept-log.js';

const EVENTS = 'tw.shop.orders';
/** Positions that a start has behind it: what it takes must not depend on them. */
const BEHIND = Number(process.env['TAILWATER_TEST_CHECKPOINTS'] ?? 100_000);
const RUNNING: SnapshotProgress = {
  state: 'running',
  ranges: [{ from: null, lastId: 'AAAA', to: 'BBBB' }],
  documents: 5,
  total: 9,
  startedAtMs: 1,
  finishedAtMs: null,
};

let server: Kafka | undefined;
let kafka: KafkaClient;
let tests = 0;
let location: CheckpointLocation;

beforeAll(async () => {
  server = await startKafka();
  kafka = createKafka({ brokers: server.brokers, clientId: 'test' }, keptLog().logger);
  const [admin, list] = [kafka.admin(), new TopicList(kafka)];
  await admin.connect();
  await new KafkaTopics({ admin, list, brokers: kafka.brokers }, { prefix: 'tw', partitions: 2, replicationFactor: 1 }).ensureTopic(
    EVENTS,
    2,
  );
  list.close();
  await admin.disconnect();
});

beforeEach(async () => {
  location = { topic: `tw${++tests}.checkpoints`, source: 'rs0' };
  await server?.createTopic(location.topic, { config: { 'cleanup.policy': 'compact' } });
});

afterAll(async () => {
  await server?.stop();
});

const brokers = (): string[] => (server as Kafka).brokers;
const transactionalId = (): string => `${location.topic}.producer`;
const connect = (): Promise<KafkaTransactionSender> => KafkaTransactionSender.connect(kafka, transactionalId());
const event = (key: string, partition = 0): OutgoingRecord => ({ key: Buffer.from(key), value: Buffer.from(`value of ${key}`), partition });
const position = (i: number): CheckpointMessage => positionMessage('rs0', new Position(1_700_000_000, i), i);

/** One transaction of events and checkpoints. */
const commit = (sender: KafkaTransactionSender, events: OutgoingRecord[], checkpoint: CheckpointMessage[]): Promise<void> =>
  sender.send([
    ...(events.length === 0 ? [] : [{ topic: EVENTS, messages: events }]),
    ...(checkpoint.length === 0 ? [] : [{ topic: location.topic, messages: checkpoint }]),
  ]);

const claim = (sender: KafkaTransactionSender): Promise<Checkpoint> =>
  claimCheckpoint(kafka, location, randomUUID(), (message) => commit(sender, [], [message]));

/** A peek once everything whose commit was answered can be seen: the markers of a transaction follow the answer. */
async function peek(): Promise<Checkpoint> {
  await readTopic(brokers(), location.topic);
  return peekCheckpoint(kafka, location);
}

/** The keys of this test's events. */
async function committedKeys(): Promise<string[]> {
  const records = await readTopic(brokers(), EVENTS);
  return records.map(({ key }) => String(key)).filter((key) => key.startsWith(`${tests}-`));
}

describe('claimCheckpoint', () => {
  it('finds nothing before the first start', async () => {
    const sender = await connect();
    expect(await claim(sender)).toMatchObject({ position: undefined, writtenAtMs: 0, snapshots: new Map() });
    await sender.close();
  });

  it('reads back what the producer before committed, and so does a peek beside it', async () => {
    const first = await connect();
    await claim(first);
    await commit(first, [], [position(1), snapshotMessage('rs0', 'shop.orders', RUNNING), snapshotMessage('rs0', 'shop.gone', RUNNING)]);
    await commit(first, [], [positionMessage('rs1', new Position(9, 9), 9), snapshotMessage('rs0', 'shop.gone', null), position(2)]);
    const peeked = await peek();
    await first.close();
    const second = await connect();
    const claimed = await claim(second);
    await second.close();
    expect(claimed).toEqual(peeked);
    expect([claimed.position?.toString(), claimed.writtenAtMs]).toEqual(['1700000000:2', 2]);
    expect([...claimed.snapshots.keys()]).toEqual(['shop.orders']);
    expect(claimed.snapshots.get('shop.orders')).toMatchObject(RUNNING);
    expect(await peekCheckpoint(kafka, { ...location, source: 'rs1' })).toMatchObject({ position: new Position(9, 9) });
  });

  it('fences an earlier producer, which can commit nothing any more', async () => {
    const earlier = await connect();
    await claim(earlier);
    await commit(earlier, [event(`${tests}-a`)], [position(1)]);
    const later = await connect();
    expect((await claim(later)).position?.i).toBe(1);
    await expect(commit(earlier, [event(`${tests}-b`)], [position(2)])).rejects.toMatchObject({ code: 'TW1205', retriable: true });
    await commit(later, [event(`${tests}-c`)], [position(3)]);
    expect(await committedKeys()).toEqual([`${tests}-a`, `${tests}-c`]);
    expect((await peek()).position?.i).toBe(3);
    await Promise.all([earlier.close(), later.close()]);
  });

  it('reads neither records nor checkpoint of a transaction that nobody ended', async () => {
    const sender = await connect();
    await claim(sender);
    await commit(sender, [event(`${tests}-a`), event(`${tests}-b`, 1)], [position(1)]);
    await sender.close();
    const dying = kafka.producer({ transactionalId: transactionalId(), maxInFlightRequests: 1 });
    await dying.connect();
    const transaction = await dying.transaction();
    await transaction.sendBatch({
      topicMessages: [
        { topic: EVENTS, messages: [event(`${tests}-c`), event(`${tests}-d`, 1)] },
        { topic: location.topic, messages: [position(2)] },
      ],
    });
    await dying.disconnect();
    const next = await connect();
    expect((await claim(next)).position?.i).toBe(1);
    await commit(next, [event(`${tests}-e`, 1)], [position(3)]);
    expect((await committedKeys()).sort()).toEqual([`${tests}-a`, `${tests}-b`, `${tests}-e`]);
    await next.close();
  });

  it('refuses a record that it does not understand, and says where it is', async () => {
    const sender = await connect();
    await claim(sender);
    await commit(sender, [], [{ key: Buffer.from('rs0/position'), value: Buffer.from('{"version":7,"position":"1:1"}'), partition: 0 }]);
    const refusal = claim(sender);
    await expect(refusal).rejects.toMatchObject({ code: 'TW1215', retriable: false });
    await expect(refusal).rejects.toThrow(/version is 7/);
    await expect(peekCheckpoint(kafka, location)).rejects.toMatchObject({ code: 'TW1215' });
    await sender.close();
  });

  it('reads a checkpoint behind thousands of earlier ones', async () => {
    const sender = await connect();
    for (let n = 0; n < 4; n++)
      await commit(
        sender,
        [],
        Array.from({ length: 2000 }, (_, k) => position(n * 2000 + k)),
      );
    expect((await claim(sender)).position?.i).toBe(7999);
    await sender.close();
  });
});

/** Positions as they are written with batches, of any source, without the pains of a transaction each. */
async function bulk(source: string, count: number): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (let n = 0; n < count; n += 10_000) {
    const messages = Array.from({ length: 10_000 }, (_, k) => positionMessage(source, new Position(1_700_000_000, n + k), n + k));
    await producer.send({ topic: location.topic, messages, acks: -1 });
  }
  await producer.disconnect();
}

describe('a checkpoint topic that has grown', () => {
  it('is read from its newest base, whatever lies before it, and nothing is missing', { timeout: 180_000 + BEHIND / 10 }, async () => {
    await bulk('rs1', 10_000);
    const first = await connect();
    const base = new CheckpointBase('rs0');
    const publisher = new Publisher(first, (topics) => {
      for (const { messages } of topics) for (const { key, value } of messages) base.take(String(key), value);
    });
    const announce = async (message: CheckpointMessage): Promise<void> => {
      await publisher.submit({ topics: [{ topic: location.topic, messages: [message] }] });
      await publisher.flush();
    };
    await claimCheckpoint(kafka, location, randomUUID(), announce, { base });
    const rare = [
      clusterMessage('rs0', 'c1'),
      snapshotMessage('rs0', 'shop.orders', RUNNING),
      snapshotMessage('rs0', 'shop.gone', RUNNING),
    ];
    await publisher.submit({ topics: [{ topic: location.topic, messages: rare }] });
    await publisher.submit({ topics: [{ topic: location.topic, messages: [snapshotMessage('rs0', 'shop.gone', null), position(1)] }] });
    await publisher.flush();
    await bulk('rs0', BEHIND);
    const { lines, logger } = keptLog();
    const [admin, list] = [kafka.admin(), new TopicList(kafka)];
    await admin.connect();
    const topics = new KafkaTopics({ admin, list, brokers: kafka.brokers }, { prefix: 'tw', partitions: 1, replicationFactor: 1 });
    const stop = new AbortController();
    const keeping = new BaseKeeper(
      { kafka, end: () => topics.endOf(location.topic), publisher, base, location, logger },
      { checkMs: 50 },
    ).run(stop.signal);
    await waitFor(() => lines.some(({ msg }) => msg.startsWith('Repeated the checkpoint')), {
      describe: 'a base',
      timeoutMs: 60_000 + BEHIND / 20,
    });
    stop.abort();
    await keeping;
    await publisher.submit({ topics: [{ topic: location.topic, messages: [position(2)] }] });
    await publisher.flush();
    await first.close();
    const next = new CheckpointBase('rs0');
    const second = await connect();
    const startedAtMs = performance.now();
    const claimed = await claimCheckpoint(kafka, location, randomUUID(), (message) => commit(second, [], [message]), { base: next });
    if (process.env['SHOW_FIGURES'] !== undefined)
      console.log(`claimed behind ${10_000 + BEHIND} records in ${performance.now() - startedAtMs} ms`);
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
    expect(next.from).toBeGreaterThan(BigInt(10_000 + BEHIND));
    expect(claimed).toMatchObject({ cluster: 'c1', isShared: true, position: { i: 2 } });
    expect([...claimed.snapshots.keys()]).toEqual(['shop.orders']);
    expect(await peekCheckpoint(kafka, location)).toEqual(claimed);
    // The other source reads its own, which is no base's.
    expect(await peekCheckpoint(kafka, { ...location, source: 'rs1' })).toMatchObject({ position: { i: 9999 }, isShared: true });
    list.close();
    await Promise.all([second.close(), admin.disconnect()]);
  });

  it('is made small, and so is one that an earlier release made; what cannot be changed is told with the command', async () => {
    const { lines, logger } = keptLog();
    const settings = { prefix: `old${tests}`, partitions: 1, replicationFactor: 1 };
    const topic = `old${tests}.checkpoints`;
    await server?.createTopic(topic, {
      config: { 'cleanup.policy': 'compact', 'max.message.bytes': 20 * 1024 * 1024, 'segment.ms': 1000, 'retention.bytes': 77 },
    });
    const settingsOf = async (): Promise<Record<string, string>> => {
      const described = await server?.withAdmin((admin) =>
        admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic }] }),
      );
      return Object.fromEntries(
        described?.resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
      );
    };
    await ensureOwnTopics(kafka, settings, new TopicAdvice(kafka.brokers, settings.prefix, logger), logger, new AbortController().signal);
    const { 'segment.ms': kept, ...limits } = CHECKPOINT_LIMITS;
    expect(kept).toBeDefined();
    // What was lower, and what is none of ours, stays.
    expect(await settingsOf()).toMatchObject({ ...limits, 'segment.ms': '1000', 'retention.bytes': '77' });
    await ensureOwnTopics(kafka, settings, new TopicAdvice(kafka.brokers, settings.prefix, logger), logger, new AbortController().signal);
    expect(lines.filter(({ msg }) => msg.includes('earlier release'))).toHaveLength(1);
    const admin = kafka.admin();
    await admin.connect();
    await limitTopicSize(kafka, admin, topic, { 'segment.bytes': '-1' }, logger);
    await admin.disconnect();
    expect(lines.at(-1)).toMatchObject({
      level: 'warn',
      command: expect.stringContaining(`--entity-name ${topic} --add-config segment.bytes=-1`),
    });
  });
});

describe('peekCheckpoint', () => {
  it('finds nothing where there is no topic, or nothing in it', async () => {
    const empty = new CheckpointReader('rs0').result();
    expect(empty).toMatchObject({ position: undefined, writtenAtMs: 0, snapshots: new Map(), sweeps: new Map(), cluster: undefined });
    expect(await peekCheckpoint(kafka, { topic: 'never.was', source: 'rs0' })).toEqual(empty);
    expect(await peekCheckpoint(kafka, location)).toEqual(empty);
  });

  it('does not wait for a transaction that somebody left open', async () => {
    const sender = await connect();
    await claim(sender);
    await commit(sender, [], [position(1)]);
    await sender.close();
    const dying = kafka.producer({ transactionalId: transactionalId(), maxInFlightRequests: 1 });
    await dying.connect();
    const transaction = await dying.transaction();
    await transaction.send({ topic: location.topic, messages: [position(2)] });
    await dying.disconnect();
    expect((await peekCheckpoint(kafka, location)).position?.i).toBe(1);
    expect((await server?.withAdmin((admin) => admin.listGroups()))?.groups).toEqual([]);
    await (await connect()).close();
  });
});

describe('KafkaTransactionSender', () => {
  it('commits documents of 16 MB, several in one transaction', async () => {
    const sender = await connect();
    const value = Buffer.alloc(16 * 1024 * 1024, 1);
    await commit(
      sender,
      [0, 1, 0].map((partition, n) => ({ ...event(`${tests}-${n}`, partition), value })),
      [position(1)],
    );
    expect((await committedKeys()).sort()).toEqual([0, 1, 2].map((n) => `${tests}-${n}`));
    await sender.close();
  });

  it('says that a record is larger than its topic allows, and commits nothing of that transaction', async () => {
    const sender = await connect();
    await commit(sender, [], [position(1)]);
    const tooLarge = { ...event(`${tests}-large`), value: Buffer.alloc(21 * 1024 * 1024) };
    await expect(commit(sender, [event(`${tests}-small`, 1), tooLarge], [position(2)])).rejects.toMatchObject({ code: 'TW1204' });
    await sender.close();
    const next = await connect();
    expect((await claim(next)).position?.i).toBe(1);
    expect(await committedKeys()).toEqual([]);
    await next.close();
  });
});
