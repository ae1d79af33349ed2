// `consumer repair`: documents whose deletes a target missed leave it, and nothing else does.
import { deadLetterTopicName, topicName } from '@tailwater/schema';
import { Double, Int32, Long, ObjectId } from 'bson';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatCommitMetadata, parseCommitMetadata } from '#consumer/commit/freshness.js';
import { moveOffsets } from '#consumer/subscribe/kafka-replay.js';
import { runConsumer } from './support/run-consumer.js';
import { World } from './support/world.js';

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterEach(async () => {
  await world.stopConsumers();
});

afterAll(async () => {
  await world?.stop();
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
const documents = (ids: readonly unknown[], fields: object = { n: 1 }) => ids.map((_id) => ({ document: { _id, ...fields } }));

function repair(prefix: string, ...more: string[]): Promise<string> {
  const kafka = ['--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
  return runConsumer(['repair', '--target', 'mongo', '--target-url', world.mongo.uri, '--name', 'test', '--json', ...kafka, ...more]);
}

const keys = async (namespace: { database: string; collection: string }) => [...(await world.stored(namespace)).keys()].map(String).sort();

describe('repair', () => {
  test('removes what the topics do not have, keeps what they have, and the group is in step again', async () => {
    const [prefix, orders, items] = ['re1', { database: 're1', collection: 'orders' }, { database: 're1', collection: 'items' }];
    await world.createTopic(prefix, orders);
    await world.createTopic(prefix, items);
    const odd = [new Double(1.5), Long.fromString('5000000000'), 'text', new ObjectId('507f1f77bcf86cd799439011'), new Double(7000)];
    await world.publish(prefix, orders, documents([...range(0, 300), ...odd]));
    await world.publish(
      prefix,
      orders,
      range(0, 100).map((id) => ({ removed: id })),
    );
    await world.publish(prefix, items, documents(range(0, 10)));
    const consumer = world.consumer(prefix);
    await world.untilCommitted(prefix, orders);
    await world.untilCommitted(prefix, items);
    await expect(repair(prefix)).rejects.toMatchObject({ code: 'TW1353' });
    await consumer.stop();

    // What a missed delete leaves behind, and a key that the topic cannot tell any more.
    const database = (await world.mongo.client()).db('re1');
    const strays = [new Int32(1), 2, 'stray', new ObjectId('507f1f77bcf86cd799439012'), { a: 1 }];
    await database.collection<{ _id: unknown }>('orders').insertMany(strays.map((_id) => ({ _id })));
    await database.collection<{ _id: unknown }>('orders').insertOne({ _id: 'undecodable' });
    await world.producer.send({ topic: topicName(prefix, orders), messages: [{ key: '"undecodable"', value: 'nonsense', partition: 0 }] });
    // Not applied yet: a delete, a document, and one that was deleted and came back.
    await world.publish(prefix, orders, [{ removed: 200 }, ...documents([400], { n: 2 }), { removed: 201 }, ...documents([201], { n: 3 })]);
    const topic = topicName(prefix, orders);
    const group = `${prefix}.test`;
    const committed = () =>
      world.kafka.withAdmin(async (admin) => {
        // kafkajs knows the brokers only then.
        await admin.fetchTopicOffsets(topic);
        return (await admin.fetchOffsets({ groupId: group, topics: [topic] }))[0]?.partitions ?? [];
      });
    const missed = formatCommitMetadata({ freshAtMs: 1, missed: { fromMs: 1, toMs: 2 } });
    const offsets = (await committed()).map(({ partition, offset }) => ({ topic, partition, offset: Number(offset), metadata: missed }));
    await moveOffsets(world.client, group, offsets);

    const before = await keys(orders);
    const dry = JSON.parse(await repair(prefix, '--dry-run'));
    expect(dry.places).toMatchObject([
      { place: 're1.items', documents: 10, living: 10, stray: 0 },
      { place: 're1.orders', documents: 211, living: 206, stray: 6, removed: 0 },
    ]);
    expect(await keys(orders)).toEqual(before);

    const done = JSON.parse(await repair(prefix, '--namespace', 're1.orders'));
    expect(done.places).toMatchObject([{ place: 're1.orders', stray: 6, removed: 6 }]);
    const gone = new Set(['1', '2', 'stray', '507f1f77bcf86cd799439012', String({ a: 1 }), '200']);
    expect(await keys(orders)).toEqual(before.filter((key) => !gone.has(key)));
    const after = await committed();
    expect(after.map(({ offset }) => Number(offset))).toEqual(offsets.map(({ offset }) => offset));
    for (const { metadata } of after) expect(parseCommitMetadata(metadata)).toEqual({ freshAtMs: expect.any(Number), missed: undefined });

    world.consumer(prefix);
    await world.untilCommitted(prefix, orders);
    const expected = [...range(100, 300).filter((id) => id !== 200), 400, ...odd, 'undecodable'].map(String).sort();
    expect(await keys(orders)).toEqual(expected);
    expect(JSON.parse(await repair(prefix, '--dry-run')).places.map(({ stray }: { stray: number }) => stray)).toEqual([0, 0]);
  });

  test('what looks like the wrong topics removes nothing, unless somebody insists', async () => {
    const [prefix, namespace] = ['re2', { database: 're2', collection: 'orders' }];
    await world.createTopic(prefix, namespace);
    await world.publish(prefix, namespace, documents(range(0, 5)));
    const collection = (await world.mongo.client()).db('re2').collection<{ _id: number }>('copy');
    await collection.insertMany(range(0, 11).map((_id) => ({ _id })));
    const rename = ['--rename', 're2.orders=re2.copy'];
    await expect(repair(prefix, ...rename)).rejects.toMatchObject({ code: 'TW1392', message: expect.stringContaining('6 of the 11') });
    expect(await collection.countDocuments()).toBe(11);
    await expect(repair(prefix, '--namespace', 'else.*')).rejects.toMatchObject({ code: 'TW1360' });
    expect(JSON.parse(await repair(prefix, ...rename, '--allow-most')).places).toMatchObject([{ place: 're2.copy', removed: 6 }]);
    expect(await keys({ database: 're2', collection: 'copy' })).toEqual(range(0, 5).map(String));
    // Another target's letters are no namespace.
    await world.kafka.createTopic(deadLetterTopicName(prefix, 'else'), { partitions: 1 });
    expect(JSON.parse(await repair(prefix, ...rename, '--dry-run')).places).toHaveLength(1);
  });
});
