// Promise A on a real broker: records and the checkpoint that covers them are there together or not at all, and an earlier
// producer cannot write behind the back of a later one.
import { randomUUID } from 'node:crypto';
import { type Kafka, startKafka } from '@tailwater/devstack';
import { createKafka, type KafkaClient } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  type CheckpointMessage,
  CheckpointReader,
  positionMessage,
  type SnapshotProgress,
  snapshotMessage,
} from '../../../packages/producer/src/checkpoint/checkpoint-record.js';
import {
  type CheckpointLocation,
  claimCheckpoint,
  peekCheckpoint,
} from '../../../packages/producer/src/checkpoint/kafka-checkpoint-store.js';
import type { OutgoingRecord } from '../../../packages/producer/src/encode/record-encoder.js';
import { KafkaTopics } from '../../../packages/producer/src/publish/kafka-topics.js';
import { KafkaTransactionSender } from '../../../packages/producer/src/publish/kafka-transaction-sender.js';
import { readTopic } from '../../support/read-topic.js';
import { keptLog } from './support/kept-log.js';

const EVENTS = 'tw.shop.orders';
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
  const admin = kafka.admin();
  await admin.connect();
  await new KafkaTopics(admin, { prefix: 'tw', partitions: 2, replicationFactor: 1 }, kafka.brokers).ensureTopic(EVENTS, 2);
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
