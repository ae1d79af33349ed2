// Consumers join and leave under load: even shares, nothing lost, and never two requests at once for one document (promise B).
import { waitFor } from '@tailwater/devstack';
import { formatNamespace } from '@tailwater/schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { type ChangeResult, TARGET_API_VERSION, type Target } from '#consumer/targets/target.js';
import { type RunningConsumer, World } from './support/world.js';

const PARTITIONS = 16;
const IDS = 400;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world?.stop();
});

/** One MongoDB for all consumers, which watches that they keep out of each other's way. */
class SharedTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'mongo';
  readonly clashes: string[] = [];
  readonly #inner: Target;
  readonly #inFlight = new Set<string>();

  constructor(inner: Target) {
    this.#inner = inner;
  }

  nameOf(namespace: Change['namespace']): string {
    return this.#inner.nameOf(namespace);
  }

  async connect(): Promise<void> {}

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    for (const { key } of changes) {
      if (this.#inFlight.has(key)) this.clashes.push(key);
      this.#inFlight.add(key);
    }
    try {
      return await this.#inner.applyBatch(changes, signal);
    } finally {
      for (const { key } of changes) this.#inFlight.delete(key);
    }
  }

  async close(): Promise<void> {}
}

describe('1, 2, 4 and 8 consumers of 16 partitions', () => {
  test('share them evenly, and come and go under load without loss or disorder', async () => {
    const [prefix, namespace] = ['sc', { database: 'sc', collection: 'orders' }];
    await world.createTopic(prefix, namespace, { partitions: PARTITIONS });
    const inner = world.mongoTarget();
    const target = new SharedTarget(inner);
    let version = 0;
    let writing = true;
    const load = (async () => {
      while (writing) {
        version += 1;
        const changes = Array.from({ length: IDS }, (_, id) => ({ document: { _id: id, version } }));
        await world.publish(prefix, namespace, changes);
      }
    })();
    const consumers: RunningConsumer[] = [];
    const untilShared = async (count: number): Promise<void> => {
      await waitFor(() => consumers.map(({ partitions }) => partitions), {
        describe: (shares) => `${count} even shares, not ${shares}`,
        until: (shares) => shares.length === count && shares.every((share) => share === PARTITIONS / count),
        timeoutMs: 60_000,
      });
      // Each of them at work: its share is really read.
      const before = consumers.map(({ pipeline }) => pipeline.tally.read);
      await waitFor(() => consumers.map(({ pipeline }, index) => pipeline.tally.read - (before[index] as number)), {
        describe: 'everyone to read',
        until: (reads) => reads.every((read) => read > 0),
        timeoutMs: 60_000,
      });
    };
    try {
      for (const count of [1, 2, 4, 8]) {
        while (consumers.length < count) consumers.push(world.consumer(prefix, { target }));
        await untilShared(count);
      }
      await Promise.all(consumers.splice(4).map((consumer) => consumer.stop()));
      await untilShared(4);
      await Promise.all(consumers.splice(2).map((consumer) => consumer.stop()));
      await untilShared(2);
    } finally {
      writing = false;
      await load;
    }
    await world.untilCommitted(prefix, namespace);
    const stored = await world.stored(namespace);
    expect([...stored.values()].filter((each) => each['version'] !== version)).toEqual([]);
    expect(stored.size).toBe(IDS);
    expect(target.clashes).toEqual([]);
    await world.stopConsumers();
    await inner.close();
  });
});

/** Does not answer, and lets go of a request only when it is cut and `whenCut` has ended. */
class HangingTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'hanging';
  readonly whenCut: () => Promise<void>;
  requests = 0;

  constructor(whenCut: () => Promise<void>) {
    this.whenCut = whenCut;
  }

  nameOf = formatNamespace;

  async connect(): Promise<void> {}

  async applyBatch(_: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    this.requests += 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await this.whenCut();
    throw signal.reason;
  }

  async close(): Promise<void> {}
}

describe('a consumer that fails', () => {
  test('has nothing in flight any more when it leaves the group', async () => {
    const [prefix, namespace, strange] = ['cr', { database: 'cr', collection: 'orders' }, { database: 'cr', collection: 'strange' }];
    for (const each of [namespace, strange]) await world.createTopic(prefix, each, { partitions: 1 });
    await world.publish(prefix, namespace, [{ document: { _id: 1 } }]);
    await world.kafka.withAdmin(async (admin) => {
      const members = async (): Promise<number | undefined> => (await admin.describeGroups([`${prefix}.test`])).groups[0]?.members.length;
      // kafkajs finds a group's coordinator only among brokers that it knows already.
      await admin.listTopics();
      let whileInFlight: number | undefined;
      const target = new HangingTarget(async () => {
        whileInFlight = await members();
      });
      const consumer = world.consumer(prefix, { target, onError: 'stop' });
      await waitFor(() => target.requests > 0, { describe: 'a request in flight' });
      await world.publishRaw(prefix, strange, Buffer.from('nonsense'));
      await expect(consumer.ended).rejects.toMatchObject({ code: 'TW1501' });
      expect(whileInFlight).toBe(1);
      expect(await members()).toBe(0);
    });
  });
});
