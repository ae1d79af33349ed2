// The pipeline from a real Kafka into a real MongoDB, with what goes wrong on the way.
import { type Kafka, waitFor } from '@tailwater/devstack';
import { controlKey, encodeControlRecord, formatNamespace, type Namespace, Position, topicName } from '@tailwater/schema';
import type { Document } from 'bson';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { APPLIED, type ChangeResult, TARGET_API_VERSION, type Target } from '#consumer/targets/target.js';
import { PARTITIONS, World } from './support/world.js';

let world: World;
let number = 0;

beforeAll(async () => {
  world = await World.start();
});

afterEach(async () => {
  await world.stopConsumers();
});

afterAll(async () => {
  await world?.stop();
});

/** A prefix and a database of its own for each test. */
async function scene(collection = 'orders'): Promise<{ prefix: string; namespace: Namespace }> {
  number += 1;
  const [prefix, namespace] = [`tw${number}`, { database: `db${number}`, collection }];
  await world.createTopic(prefix, namespace);
  return { prefix, namespace };
}

const documents = (count: number, version = 0): { document: Document }[] =>
  Array.from({ length: count }, (_, id) => ({ document: { _id: id, version, text: 'x'.repeat(200) } }));

const until = (describe: string, check: () => boolean | Promise<boolean>) =>
  waitFor(async () => check(), { describe, until: (done) => done, timeoutMs: 60_000 });

/** Applies to nothing, at a pace that the test sets. */
class SlowTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'slow';
  readonly applied: Change[] = [];
  #open: (() => void)[] = [];
  held = true;

  nameOf = formatNamespace;

  async connect(): Promise<void> {}

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<ChangeResult[]> {
    if (this.held) {
      await new Promise<void>((resolve, reject) => {
        this.#open.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
    this.applied.push(...changes);
    return changes.map(() => APPLIED);
  }

  get waiting(): number {
    return this.#open.length;
  }

  release(): void {
    this.held = false;
    for (const open of this.#open.splice(0)) open();
  }

  async close(): Promise<void> {}
}

describe('Pipeline', () => {
  test('applies upserts and deletes, in order within a key, and commits up to the very end', async () => {
    const { prefix, namespace } = await scene();
    await world.publish(prefix, namespace, documents(500));
    const consumer = world.consumer(prefix);
    for (let version = 1; version <= 20; version++) await world.publish(prefix, namespace, documents(50, version));
    await world.publish(
      prefix,
      namespace,
      Array.from({ length: 10 }, (_, removed) => ({ removed })),
    );
    // The last offset of each partition is a transaction's marker: it counts too.
    await world.untilCommitted(prefix, namespace);
    const stored = await world.stored(namespace);
    expect(stored.size).toBe(490);
    for (let id = 10; id < 500; id++) expect(stored.get(id)?.['version']).toBe(id < 50 ? 20 : 0);
    const { read, applied, superseded, filtered, returned } = consumer.pipeline.tally;
    expect(read).toBe(500 + 20 * 50 + 10);
    expect(applied + superseded + filtered + returned).toBe(read);
    expect(consumer.pipeline.buffered).toEqual({ count: 0, bytes: 0 });
    expect([...consumer.pipeline.partitions].map(({ lag }) => lag)).toEqual(Array(PARTITIONS).fill(0));
  });

  test('goes on where it was, and does not see what was rolled back', async () => {
    const { prefix, namespace } = await scene();
    await world.publish(prefix, namespace, documents(100));
    const first = world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    await first.stop();
    await world.publish(prefix, namespace, documents(100, 666), 'abort');
    const second = world.consumer(prefix);
    // Aborted records and their markers at the end of a partition reach nobody, and are committed nevertheless.
    await world.untilCommitted(prefix, namespace);
    expect(second.pipeline.tally.read).toBe(0);
    await world.publish(prefix, namespace, documents(10, 1));
    await until('the new changes', () => second.pipeline.tally.applied === 10);
    expect((await world.stored(namespace)).get(99)?.['version']).toBe(0);
  });

  test('control records are no changes', async () => {
    const { prefix, namespace } = await scene();
    const value = encodeControlRecord({ kind: 'gap', position: new Position(1, 1), wallTimeMs: 0, details: {} });
    const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({ key: controlKey('gap', 'rs0'), value, partition }));
    await world.producer.send({ topic: topicName(prefix, namespace), messages });
    await world.publish(prefix, namespace, documents(1));
    const consumer = world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(consumer.pipeline.tally).toMatchObject({ read: 1, applied: 1, control: PARTITIONS });
  });

  test('waits for the first topic, picks up later ones, and leaves out what the rules exclude', async () => {
    number += 1;
    const prefix = `tw${number}`;
    const database = `db${number}`;
    const consumer = world.consumer(prefix, { includes: ({ collection }) => collection !== 'secret' });
    for (const collection of ['a', 'secret', 'b']) {
      await world.createTopic(prefix, { database, collection });
      await world.publish(prefix, { database, collection }, documents(20));
      if (collection !== 'secret') await world.untilCommitted(prefix, { database, collection });
    }
    expect(consumer.partitions).toBe(2 * PARTITIONS);
    expect((await world.stored({ database, collection: 'b' })).size).toBe(20);
    expect((await world.stored({ database, collection: 'secret' })).size).toBe(0);
  });

  test('a document of 15.9 MB arrives', async () => {
    const { prefix, namespace } = await scene();
    await world.publish(prefix, namespace, [{ document: { _id: 1, text: 'x'.repeat(15_900_000) } }, { document: { _id: 2 } }]);
    world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect((await world.stored(namespace)).get(1)).toEqual({ _id: 1, text: 'x'.repeat(15_900_000) });
  });

  test('a slow target stops the reading, and keeps its partitions', async () => {
    const { prefix, namespace } = await scene();
    for (let batch = 0; batch < 5; batch++) await world.publish(prefix, namespace, documents(1000, batch));
    const target = new SlowTarget();
    const consumer = world.consumer(prefix, { target, apply: { buffer: { count: 300, bytes: 1_000_000 } } });
    // Alone, a namespace has two thirds of it.
    await until('a full share', () => consumer.pipeline.buffered.count >= 200);
    // Longer than the session: a member that did not heartbeat while it waits would have lost its partitions.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    expect(consumer.pipeline.buffered.count).toBe(200);
    expect(consumer.partitions).toBe(PARTITIONS);
    expect(await world.lag(prefix, namespace)).toBeGreaterThan(4000);
    target.release();
    await world.untilCommitted(prefix, namespace);
    const { applied, superseded, returned, read } = consumer.pipeline.tally;
    expect({ read, ended: applied + superseded, returned }).toEqual({ read: 5000, ended: 5000, returned: 0 });
  });

  test('under a backlog all partitions advance, not one after the other', async () => {
    const { prefix, namespace } = await scene();
    const text = 'x'.repeat(100_000);
    // 16 MB, of which a fetch holds an eighth.
    for (let id = 0; id < 160; id += 20) {
      await world.publish(
        prefix,
        namespace,
        Array.from({ length: 20 }, (_, index) => ({ document: { _id: id + index, text } })),
      );
    }
    const target = new SlowTarget();
    const consumer = world.consumer(prefix, { target, apply: { buffer: { count: 1000, bytes: 8_000_000 } } });
    await until('a full share', () => consumer.pipeline.buffered.bytes >= 5_300_000);
    target.release();
    await until('half of it applied', () => consumer.pipeline.tally.applied >= 80);
    for (const { watermark } of consumer.pipeline.partitions) expect(watermark.next).toBeGreaterThan(0);
    await world.untilCommitted(prefix, namespace);
  });

  test('a target that is down for a while costs time and nothing else', async () => {
    const { prefix, namespace } = await scene();
    const consumer = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(200));
    await until('the first changes', () => consumer.pipeline.tally.applied > 0);
    await world.mongo.kill9();
    for (let version = 1; version <= 5; version++) await world.publish(prefix, namespace, documents(200, version));
    await until('failed attempts', () => consumer.failures.length > 2);
    await world.mongo.start();
    await world.untilCommitted(prefix, namespace);
    const stored = await world.stored(namespace);
    expect([...stored.values()].filter(({ version }) => version !== 5)).toEqual([]);
    expect(stored.size).toBe(200);
  });

  test('stops within seconds while the target is down, and commits nothing that was not applied', async () => {
    const { prefix, namespace } = await scene();
    const target = new SlowTarget();
    const consumer = world.consumer(prefix, { target });
    await world.publish(prefix, namespace, documents(200));
    await until('a request in flight', () => target.waiting > 0);
    const began = performance.now();
    await consumer.stop();
    expect(performance.now() - began).toBeLessThan(8_000);
    const { read, returned } = consumer.pipeline.tally;
    expect(returned).toBe(read);
    expect(await world.lag(prefix, namespace)).toBeGreaterThanOrEqual(200);
    world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect((await world.stored(namespace)).size).toBe(200);
  });

  test('two consumers share the partitions; one leaves, and the other takes over without losing anything', async () => {
    const { prefix, namespace } = await scene();
    const first = world.consumer(prefix);
    await until('all partitions', () => first.partitions === PARTITIONS);
    const second = world.consumer(prefix);
    await until('even shares', () => first.partitions === PARTITIONS / 2 && second.partitions === PARTITIONS / 2);
    let version = 0;
    const publishing = (async () => {
      for (version = 1; version <= 30; version++) await world.publish(prefix, namespace, documents(100, version));
    })();
    await until('both at work', () => first.pipeline.tally.applied > 0 && second.pipeline.tally.applied > 0);
    await first.stop();
    await publishing;
    await world.untilCommitted(prefix, namespace);
    expect(second.partitions).toBe(PARTITIONS);
    const stored = await world.stored(namespace);
    expect([...stored.values()].filter((each) => each['version'] !== 30)).toEqual([]);
    expect(stored.size).toBe(100);
    // Nothing was forgotten, and applied twice was at most what the first had in flight when it left.
    const ended = [first, second].map(({ pipeline: { tally } }) => tally.applied + tally.superseded).reduce((a, b) => a + b);
    expect(ended).toBeGreaterThanOrEqual(30 * 100);
    expect(ended).toBeLessThanOrEqual(30 * 100 + 4 * 100);
  });

  test('a member that joins waits until the others have finished what is in flight', async () => {
    const { prefix, namespace } = await scene();
    const target = new SlowTarget();
    const first = world.consumer(prefix, { target, apply: { batch: { count: 20, bytes: 1_000_000, lingerMs: 500 } } });
    await world.publish(prefix, namespace, documents(40));
    await until('requests in flight', () => target.waiting === 4);
    await world.publish(prefix, namespace, documents(400));
    const other = new SlowTarget();
    other.held = false;
    const second = world.consumer(prefix, { target: other });
    await until('the first to be asked for its partitions', () => [...first.pipeline.partitions].every(({ revoked }) => revoked));
    expect(second.partitions).toBe(0);
    expect(other.applied).toEqual([]);
    target.release();
    await world.untilCommitted(prefix, namespace);
    expect(second.partitions).toBe(PARTITIONS / 2);
    // What was in flight ended, and the rest was read again by whoever owned it. Twice came at most what was in flight beyond
    // a change of the same partition that was not.
    const ids = [...target.applied, ...other.applied].map(({ key }) => Number(key));
    expect(new Set(ids).size).toBe(400);
    expect(ids.length).toBeLessThanOrEqual(440 + 4 * 20);
  });

  test('a broker that is killed and comes back is waited for', async () => {
    const { prefix, namespace } = await scene();
    const consumer = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(100));
    await world.untilCommitted(prefix, namespace);
    const kafka: Kafka = world.kafka;
    await kafka.kill9();
    // Who is told to stop meanwhile does not wait for the broker: not one that reads, and not one that only begins to.
    const leaving = world.consumer(`${prefix}-other`);
    const began = performance.now();
    await leaving.stop();
    expect(performance.now() - began).toBeLessThan(8_000);
    await kafka.start();
    await world.publish(prefix, namespace, documents(100, 1));
    await until('the changes after the restart', async () => (await world.stored(namespace)).get(99)?.['version'] === 1);
    await world.untilCommitted(prefix, namespace);
    expect(consumer.pipeline.tally.returned).toBe(0);
  });

  test('a topic that is deleted and made again is read from its new beginning', async () => {
    const { prefix, namespace } = await scene();
    world.consumer(prefix);
    await world.publish(prefix, namespace, documents(50));
    await world.untilCommitted(prefix, namespace);
    await world.deleteTopic(prefix, namespace);
    await until('the topic to be gone', () =>
      world.kafka.withAdmin(async (admin) => !(await admin.listTopics()).includes(topicName(prefix, namespace))),
    );
    await world.createTopic(prefix, namespace);
    await world.publish(prefix, namespace, documents(10, 1));
    await until('the new changes', async () => (await world.stored(namespace)).get(9)?.['version'] === 1);
    await world.untilCommitted(prefix, namespace);
  });

  test('a record that is no change ends the consumer, by name, and is not committed', async () => {
    const { prefix, namespace } = await scene();
    const topic = topicName(prefix, namespace);
    await world.publish(prefix, namespace, documents(50));
    const consumer = world.consumer(prefix, { onError: 'stop' });
    await world.untilCommitted(prefix, namespace);
    await world.producer.send({ topic, messages: [{ key: '1', value: 'nonsense', partition: 2 }] });
    await expect(consumer.ended).rejects.toMatchObject({ code: 'TW1501', message: expect.stringContaining(`${topic}, partition 2`) });
    expect(await world.lag(prefix, namespace)).toBeGreaterThan(0);
  });

  test('a change that the target refuses for good ends the consumer, by name, and its offset is not committed', async () => {
    const { prefix, namespace } = await scene();
    const client = await world.mongo.client();
    await client.db(namespace.database).createCollection(namespace.collection, { validator: { version: { $lt: 5 } } });
    await world.publish(prefix, namespace, documents(20));
    const consumer = world.consumer(prefix, { onError: 'stop' });
    await world.untilCommitted(prefix, namespace);
    await world.publish(prefix, namespace, [{ document: { _id: 7, version: 9 } }]);
    await expect(consumer.ended).rejects.toMatchObject({ code: 'TW1305', message: expect.stringContaining('7 of') });
    expect(await world.lag(prefix, namespace)).toBeGreaterThan(0);
  });

  test('a namespace that would share a name of another at the target is refused, by both names', async () => {
    const { prefix, namespace } = await scene('orders');
    await world.createTopic(prefix, { ...namespace, collection: 'ORDERS' });
    for (const collection of ['orders', 'ORDERS']) await world.publish(prefix, { ...namespace, collection }, documents(1));
    const target = new SlowTarget();
    target.held = false;
    target.nameOf = (each) => formatNamespace(each).toLowerCase();
    const consumer = world.consumer(prefix, { target, onError: 'stop' });
    const names = expect.stringMatching(/\.(orders and .*\.ORDERS|ORDERS and .*\.orders)\b/);
    await expect(consumer.ended).rejects.toMatchObject({ code: 'TW1305', message: names });
  });
});
