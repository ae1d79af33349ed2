// What values look like in Kafka, through the real commands: in the framing of a schema registry, as JSON, all mixed in one topic, and
// compressed as the broker and the topics want it.
import { compareMongo, countDifferences, hasJdk, type Registry, startRegistry, waitFor } from '@tailwater/devstack';
import { confluentSchemaId, topicName } from '@tailwater/schema';
import avro, { type Schema } from 'avsc';
import { BSON } from 'bson';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { Double, Long } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { readTopic } from '#test/support/read-topic.js';
import { runCommand } from '#test/support/run-command.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ mongoTarget: true });
});
beforeEach(() => world.reset());
afterAll(() => world?.[Symbol.asyncDispose]());

const shop = async () => (await world.source.client()).db('shop');
const topicOf = (collection: string): string => topicName(world.prefix, { database: 'shop', collection });
const readValues = async (collection: string): Promise<Buffer[]> =>
  (await readTopic(world.kafka.brokers, topicOf(collection))).flatMap(({ value }) => value ?? []);
const orders = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    _id: (from + n) as never,
    number: from + n,
    total: new Double(from + n),
    big: Long.MAX_VALUE,
  }));
/** A few of everything: inserts, updates, replacements, deletes. */
async function change(from: number): Promise<void> {
  const collection = (await shop()).collection('orders');
  await collection.insertMany(orders(from, 50));
  await collection.updateMany({ number: { $gte: from, $lt: from + 10 } }, { $set: { state: 'paid', 'address.city': 'Köln' } });
  await collection.replaceOne({ _id: (from + 20) as never }, { replaced: true });
  await collection.deleteMany({ number: { $gte: from + 40 } });
}

describe('--value-format json', () => {
  it('is read by anyone who reads JSON, and by the consumer', async () => {
    await change(0);
    await Promise.all([world.producer('--value-format', 'json'), world.mongoConsumer()]);
    await world.untilMongoEquals('orders');
    await change(100);
    expect(await world.untilMongoEquals('orders')).toMatchObject({ compared: 80 });
    const events = (await readValues('orders')).map((value) => JSON.parse(value.toString('utf8')));
    expect(events.find(({ op, document }) => op === 'update' && document._id === 100)).toMatchObject({
      version: 1,
      database: 'shop',
      collection: 'orders',
      updateDescription: { updatedFields: { state: 'paid' }, removedFields: [] },
      document: { number: 100, total: 100, state: 'paid' },
    });
  });

  it('is swept like any other, and a topic that was switched is one copy', async () => {
    await world.mongoConsumer();
    for (const [turn, format] of ['json', 'avro'].entries()) {
      const producer = await world.producer('--value-format', format);
      await change(turn * 100);
      await world.untilMongoEquals('orders');
      await producer.stop();
    }
    await world.producer();
    await (await shop()).collection('orders').drop();
    await (await shop()).collection('orders').insertMany(orders(500, 3));
    expect(await world.untilMongoEquals('orders')).toMatchObject({ compared: 3 });
  });
});

describe('compression.type', () => {
  /** A broker's default, for the topics that say nothing else: the checkpoints, the signals, the dead letters. */
  const compressByDefault = (value: string) =>
    world.kafka.withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.BROKER, name: '1', configEntries: [{ name: 'compression.type', value }] }],
      }),
    );
  afterAll(() => compressByDefault('producer'));

  it('is read whatever it is, by every process and command', async () => {
    await compressByDefault('zstd');
    const collections = ['gzip', 'snappy', 'lz4', 'zstd'];
    for (const codec of collections) {
      const config = {
        'cleanup.policy': 'compact',
        'max.message.bytes': 20 * 1024 * 1024,
        ...(codec === 'zstd' ? {} : { 'compression.type': codec }),
      };
      await world.kafka.createTopic(topicOf(codec), { partitions: 2, config });
    }
    const database = await shop();
    const fill = (from: number) =>
      Promise.all(
        collections.map((each) =>
          database.collection(each).insertMany(orders(from, 200).map((order) => ({ ...order, text: 'again '.repeat(200) }))),
        ),
      );
    const inStep = async (compared: number) => {
      for (const each of collections) expect(await world.untilMongoEquals(each)).toMatchObject({ compared });
    };
    const letters = (command: string, ...args: string[]) =>
      runCommand('consumer', ['dead-letters', command, '--target', 'mongo', ...kafkaArgs(), '--json', ...args]);
    const kafkaArgs = () => ['--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix];
    const reached = ['--target-url', world.target.uri];

    await fill(0);
    const first = await world.producer();
    const consumer = await world.mongoConsumer();
    await inStep(200);
    // A restart reads the checkpoint; a signal is read from its topic; a sweep reads the data topics.
    await first.stop();
    await world.producer();
    await fill(1000);
    await inStep(400);
    await Promise.all(collections.map((each) => database.collection(each).drop()));
    await fill(2000);
    await inStep(200);
    const target = (await world.target.client()).db('shop');
    await target.collection('lz4').deleteMany({});
    expect(
      await runCommand('producer', ['snapshot', '--mongo', world.source.uri, '--namespace', 'shop.lz4', ...kafkaArgs()]),
    ).toMatchObject({ code: 0 });
    await inStep(200);

    await target.command({ collMod: 'snappy', validator: { number: { $lt: 3000 } } });
    await database.collection('snappy').insertOne({ _id: 3000 as never, number: 3000 });
    const there = await waitFor(() => letters('list'), { until: ({ stdout }) => stdout.includes('"3000"'), describe: 'a dead letter' });
    const {
      letters: [letter],
    } = JSON.parse(there.stdout) as { letters: { id: string }[] };
    expect(await letters('show', letter?.id ?? '')).toMatchObject({ code: 0 });
    await consumer.stop();
    await target.command({ collMod: 'snappy', validator: {} });
    const retried = await waitFor(() => letters('retry', '--all', ...reached), {
      until: ({ code }) => code === 0,
      describe: (last) => `the retry of a letter: ${last?.stderr}`,
      timeoutMs: 60_000,
      intervalMs: 500,
    });
    expect(JSON.parse(retried.stdout)).toMatchObject({ results: [{ outcome: 'applied' }] });
    await target.collection('zstd').insertOne({ _id: 1 as never });
    const repaired = await runCommand('consumer', ['repair', '--target', 'mongo', ...reached, ...kafkaArgs(), '--json']);
    expect(repaired).toMatchObject({ code: 0 });
    await world.untilMongoEquals('zstd');
    await world.untilMongoEquals('snappy');
  });
});

describe.runIf(await hasJdk(21))('--schema-registry', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry?.stop());

  const withRegistry = (): string[] => ['--schema-registry', registry.url];
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
    const response = await fetch(
      `${registry.url}${path}`,
      body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) },
    );
    return response.json();
  };
  const producerStart = (...args: string[]) =>
    runCommand('producer', [
      'start',
      ...['--mongo', world.source.uri, '--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix, '--include', 'shop.*'],
      ...args,
    ]);

  it('registers the schema, and a reader with Avro and the registry alone decodes each record', async () => {
    await change(0);
    await Promise.all([world.producer(...withRegistry()), world.mongoConsumer(...withRegistry())]);
    await world.untilMongoEquals('orders');
    await change(100);
    await world.untilMongoEquals('orders');
    expect(await ask('/subjects')).toContain(`${topicOf('orders')}-value`);
    const values = await readValues('orders');
    const [first] = values;
    const id = first?.readInt32BE(1);
    const { schema } = (await ask(`/schemas/ids/${id}`)) as { schema: string };
    const type = avro.Type.forSchema(JSON.parse(schema) as Schema);
    for (const value of values) {
      expect(value[0]).toBe(0);
      expect(confluentSchemaId(value)).toBe(id);
      const { document, database } = type.fromBuffer(value.subarray(5)) as { document: Buffer; database: string };
      expect(database).toBe('shop');
      expect(BSON.deserialize(document)).toHaveProperty('_id');
    }
  });

  it('reads a topic that was switched, in every framing, and sweeps it', async () => {
    const consumer = await world.mongoConsumer(...withRegistry());
    for (const [turn, args] of [[], withRegistry(), ['--value-format', 'json']].entries()) {
      const producer = await world.producer(...args);
      await change(turn * 100);
      expect(await world.untilMongoEquals('orders')).toMatchObject({ compared: (turn + 1) * 40 });
      await producer.stop();
    }
    await consumer.stop();
    const first = new Set((await readValues('orders')).map((value) => value[0]));
    expect(first).toEqual(new Set([0xc3, 0, 0x7b]));
    // So does a repair, which then knows what is too many.
    await (await world.target.client()).db('shop').collection('orders').insertOne({ left: 'behind' });
    const repair = ['repair', '--target', 'mongo', '--target-url', world.target.uri, '--kafka', world.kafka.brokers.join(',')];
    const options = ['--prefix', world.prefix, '--include', 'shop.*', '--dry-run', '--json', ...withRegistry()];
    const { stdout, stderr } = await runCommand('consumer', [...repair, ...options]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ places: [{ documents: 121, living: 120, stray: 1 }] });
    // Another group reads all of it, and the sweep does.
    await (await world.target.client()).db('shop').dropDatabase();
    await Promise.all([world.producer(...withRegistry()), world.mongoConsumer(...withRegistry(), '--name', 'again')]);
    expect(await world.untilMongoEquals('orders')).toMatchObject({ compared: 120 });
    await (await shop()).collection('orders').drop();
    await (await shop()).collection('orders').insertMany(orders(500, 3));
    expect(await world.untilMongoEquals('orders')).toMatchObject({ compared: 3 });
  });

  it('publishes nothing where the registry holds another schema', async () => {
    const subject = `${topicOf('orders')}-value`;
    const other = { type: 'record', name: 'Other', fields: [{ name: 'a', type: 'int' }] };
    await ask(`/subjects/${subject}/versions`, { schema: JSON.stringify(other) });
    await fetch(`${registry.url}/config/${subject}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ compatibility: 'BACKWARD' }),
    });
    await change(0);
    const { code, stderr } = await producerStart(...withRegistry());
    expect(code).toBe(1);
    expect(stderr).toContain('TW1562');
    expect(stderr).toContain(subject);
    const topics = await world.kafka.withAdmin((admin) => admin.listTopics());
    expect(topics.filter((topic) => topic.startsWith(`${world.prefix}.`))).toEqual([]);
  });

  it('goes on without the registry where it knows the schema, and waits with what it does not know', async () => {
    await change(0);
    await Promise.all([world.producer(...withRegistry()), world.mongoConsumer(...withRegistry())]);
    await world.untilMongoEquals('orders');
    await registry.shutdown();
    try {
      const refused = producerStart(...withRegistry());
      await change(100);
      await world.untilMongoEquals('orders');
      await (await shop()).collection('parcels').insertMany(orders(0, 5));
      await (await shop()).collection('orders').insertMany(orders(300, 5));
      const { code, stderr } = await refused;
      expect(code).toBe(1);
      expect(stderr).toContain('TW1560');
    } finally {
      await registry.start();
    }
    await world.untilMongoEquals('parcels');
    await world.untilMongoEquals('orders');
  });

  it('holds up a consumer that was told of no registry, or stops it, before it puts anything aside', async () => {
    await change(0);
    await world.producer(...withRegistry());
    await waitFor(() => readValues('orders').catch(() => []), {
      until: ({ length }) => length > 0,
      describe: 'records',
      timeoutMs: 60_000,
    });
    const { code, stderr } = await runCommand('consumer', [
      'start',
      ...['--target', 'mongo', '--target-url', world.target.uri, '--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix],
      ...['--on-error', 'stop'],
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('TW1564');
    expect(stderr).toContain('--schema-registry');
    const consumer = await world.mongoConsumer();
    const { unreadable } = await waitFor(() => consumer.status<{ unreadable: { topic: string; code: string }[] }>(), {
      until: ({ unreadable: [first] }) => first !== undefined,
      timeoutMs: 60_000,
    });
    expect(unreadable[0]).toMatchObject({ topic: topicOf('orders'), code: 'TW1564' });
    await consumer.stop();
    await world.mongoConsumer(...withRegistry());
    expect(await world.untilMongoEquals('orders')).toMatchObject({ extra: [], missing: [] });
  });

  it('makes a dead letter of an id that the registry does not know', async () => {
    await change(0);
    await Promise.all([world.producer(...withRegistry()), world.mongoConsumer(...withRegistry())]);
    await world.untilMongoEquals('orders');
    const client = new Kafka({ clientId: 'stranger', brokers: [...world.kafka.brokers], logLevel: logLevel.NOTHING });
    const stranger = client.producer();
    await stranger.connect();
    const value = Buffer.concat([Buffer.from([0, 0x00, 0x0f, 0x42, 0x3f]), Buffer.from('whatever')]);
    await stranger.send({ topic: topicOf('orders'), messages: [{ key: '"stranger"', value, partition: 0 }] });
    await stranger.disconnect();
    const listed = await waitFor(
      () =>
        runCommand('consumer', [
          'dead-letters',
          'list',
          '--target',
          'mongo',
          '--kafka',
          world.kafka.brokers.join(','),
          '--prefix',
          world.prefix,
          '--json',
        ]),
      { until: ({ stdout }) => stdout.includes('999999'), describe: 'the dead letter', timeoutMs: 60_000, intervalMs: 500 },
    );
    expect(listed.stdout).toContain('schema 999999 of a schema registry, which does not know it');
    await change(100);
    await world.untilMongoEquals('orders');
    const [source, target] = await Promise.all([world.source.client(), world.target.client()]);
    expect(countDifferences(await compareMongo(source, target, 'shop', 'orders'))).toBe(0);
  });
});
