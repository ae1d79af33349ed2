// One odd document or namespace does not stop the source (promises A and E): ids that are no text, keys and names that no topic takes.
import { compareByKey, type Kafka, type Mongo, readRawDocuments, startStack, waitFor } from '@tailwater/devstack';
import type { Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Id } from '#test/property/schema/ids/id.js';
import { documentWithId } from '#test/property/schema/ids/id-bson.js';
import { readTopic } from '#test/support/read-topic.js';
import { RawConnection } from '../schema/raw-connection.js';
import { foldTopic } from './support/folded-topic.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

/** 200 bytes for MongoDB, a thousand characters for Kafka. */
const LONG_NAME = 'ä'.repeat(100);
/** Six characters of JSON each. */
const LONG_ID = '\u0001'.repeat(4_000_000);

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let client: MongoClient;
const pipelines: RunningPipeline[] = [];

beforeAll(async () => {
  const stack = await startStack({ mongo: {}, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
});
afterEach(async () => {
  await Promise.all(pipelines.splice(0).map((pipeline) => pipeline.stop()));
});
afterAll(() => stop?.());

const odd = (suffix: number): Id[] => [
  { kind: 'string', text: Buffer.of(0x61, 0xff, suffix) },
  { kind: 'date', ms: 9_000_000_000_000_000n + BigInt(suffix) },
  { kind: 'object', fields: [[Buffer.of(0xc3, suffix), { kind: 'string', text: Buffer.of(0xfe, suffix) }]] },
];

async function insertRaw(suffix: number): Promise<void> {
  const connection = await RawConnection.open(mongo.port);
  expect(
    await connection.insert(
      'shop',
      'orders',
      odd(suffix).map((id) => documentWithId(id)),
    ),
  ).toEqual([]);
  connection.close();
}

async function start(options: Partial<RunningOptions> & { prefix: string }): Promise<RunningPipeline> {
  const pipeline = await RunningPipeline.start(mongo, kafka, { include: ['shop.*'], ...options });
  pipelines.push(pipeline);
  return pipeline;
}

interface Letter {
  readonly code: string;
  readonly namespace: string;
  readonly op: string;
  readonly holds: string;
  readonly bytes: number;
}

async function lettersOf(prefix: string): Promise<Letter[]> {
  const records = await readTopic(kafka.brokers, `${prefix}.producer.dead-letters`);
  return records.map(({ headers, value }) => {
    const told = (name: string): string => String(headers[`tw-letter-${name}`]);
    return { code: told('code'), namespace: told('namespace'), op: told('op'), holds: told('holds'), bytes: value?.length ?? 0 };
  });
}

it.each(['oplog', 'change-stream'] as const)('%s: what Kafka does not take is put aside, and all else goes on', async (source) => {
  await client.db('shop').dropDatabase();
  const [orders, long] = [client.db('shop').collection<Document>('orders'), client.db('shop').collection<Document>(LONG_NAME)];
  const prefix = `q-${source}`;
  await insertRaw(1);
  await orders.insertMany([{ _id: 'plain' as never }, { _id: LONG_ID as never, n: 0 }]);
  await long.insertMany([1, 2, 3].map((_id) => ({ _id: _id as never })));
  const pipeline = await start({ prefix, source });
  await pipeline.untilInStep();
  // Counted when it is committed.
  await waitFor(() => pipeline.counts.snapshotQuarantined === 4, { describe: 'four letters of the copy' });

  await insertRaw(2);
  await insertRaw(3);
  await orders.updateMany({}, { $set: { n: 1 } });
  await long.updateMany({}, { $set: { n: 1 } });
  await long.deleteOne({ _id: 1 as never });
  await orders.deleteOne({ _id: LONG_ID as never });
  await orders.insertOne({ _id: 'last' as never });
  await pipeline.untilInStep();
  await pipeline.stop();

  const folded = await foldTopic(kafka.brokers, `${prefix}.shop.orders`);
  const differences = compareByKey(await readRawDocuments(client, 'shop', 'orders'), folded.documents, (left, right) => left.equals(right));
  expect(differences).toEqual({ compared: 11, missing: [], extra: [], different: [] });
  const letters = await lettersOf(prefix);
  const ofOrders = letters.filter(({ namespace }) => namespace === 'shop.orders');
  // An update whose document is gone by the time of its lookup is superseded by its delete, whose letter follows.
  expect(ofOrders.at(0)).toMatchObject({ code: 'TW1291', op: 'read', holds: 'document' });
  expect(ofOrders.at(-1)).toMatchObject({ code: 'TW1291', op: 'delete', holds: 'id' });
  const ofLong = letters.filter(({ namespace }) => namespace === `shop.${LONG_NAME}`);
  expect(ofLong.map(({ op }) => op).filter((op) => op === 'read')).toHaveLength(3);
  expect(ofLong.at(-1)).toMatchObject({ code: 'TW1206', op: 'delete', holds: 'id' });
  const { eventsRead, eventsPublished, eventsSuperseded, eventsFiltered, eventsQuarantined, snapshotQuarantined } = pipeline.counts;
  expect(eventsRead).toBe(eventsPublished + eventsSuperseded + eventsFiltered + eventsQuarantined);
  expect(letters).toHaveLength(eventsQuarantined + snapshotQuarantined);
  expect(pipeline.state.session?.quarantine.map(({ code, namespace }) => `${code} ${namespace}`).sort()).toEqual([
    `TW1206 shop.${LONG_NAME}`,
    'TW1291 shop.orders',
  ]);
  expect(pipeline.log.filter(({ msg }) => msg.startsWith('Put aside'))).toHaveLength(2);
});

it('ends with the reason where that is asked for', async () => {
  await client.db('shop').dropDatabase();
  await client.db('shop').collection(LONG_NAME).insertOne({ n: 1 });
  const pipeline = await start({ prefix: 'stops', onRefused: 'stop' });
  await waitFor(() => pipeline.failure !== undefined, { describe: 'the end of the pipeline', timeoutMs: 60_000 });
  expect(pipeline.failure).toMatchObject({ code: 'TW1206' });
});

it('a topic that takes less than others gets what it takes, and the rest is put aside, also when it takes less all of a sudden', async () => {
  await client.db('shop').dropDatabase();
  const orders = client.db('shop').collection<Document>('orders');
  const topic = 'small.shop.orders';
  const sized = (_id: number, bytes: number): Document => ({ _id: _id as never, text: 'x'.repeat(bytes) });
  await kafka.createTopic(topic, { config: { 'cleanup.policy': 'compact', 'max.message.bytes': 1_048_588 } });
  await orders.insertMany([...Array.from({ length: 30 }, (_, n) => sized(n, 100_000)), sized(100, 1_040_000), sized(101, 1_500_000)]);
  const pipeline = await start({ prefix: 'small' });
  await pipeline.untilInStep();
  // What changed is left out where both do not fit.
  await orders.updateOne({ _id: 0 as never }, { $set: { text: 'y'.repeat(700_000) } });
  await pipeline.untilInStep();
  await kafka.withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: topic,
          configEntries: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'max.message.bytes', value: '200000' },
          ],
        },
      ],
    }),
  );
  await orders.insertMany([sized(102, 300_000), sized(103, 100_000)]);
  await pipeline.untilInStep();
  const refused = [101, 102];
  await waitFor(async () => (await lettersOf('small')).length >= refused.length, { describe: 'the letters', timeoutMs: 30_000 });
  await pipeline.stop();
  expect(pipeline.failure).toBeUndefined();
  const stored = await readRawDocuments(client, 'shop', 'orders');
  const { documents } = await foldTopic(kafka.brokers, topic);
  const differences = compareByKey(stored, documents, (left, right) => left.equals(right));
  expect(differences).toEqual({ compared: 34, missing: refused.map(String), extra: [], different: [] });
  expect((await lettersOf('small')).map(({ code, op }) => `${code} ${op}`)).toEqual(['TW1291 read', 'TW1291 insert']);
  const [told] = pipeline.log.filter(({ code }) => code === 'TW1250');
  expect(told?.msg).toContain(`--alter --topic ${topic} --add-config max.message.bytes=20971520`);
});
