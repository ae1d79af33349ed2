// Replays, and groups that were away for longer than deletes are kept.
import { freePort, waitFor } from '@tailwater/devstack';
import { StopRequested } from '@tailwater/runtime';
import { deadLetterTopicName, type Namespace, topicName } from '@tailwater/schema';
import type { Document } from 'bson';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runConsumer } from './support/run-consumer.js';
import { PARTITIONS, type RunningConsumer, World } from './support/world.js';

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

async function scene(tombstonesKeptMs?: number): Promise<{ prefix: string; namespace: Namespace }> {
  number += 1;
  const [prefix, namespace] = [`rp${number}`, { database: `rp${number}`, collection: 'orders' }];
  await world.createTopic(prefix, namespace, tombstonesKeptMs === undefined ? {} : { tombstonesKeptMs });
  return { prefix, namespace };
}

const documents = (count: number, version = 0): { document: Document }[] =>
  Array.from({ length: count }, (_, id) => ({ document: { _id: id, version } }));

interface Plan {
  readonly moved: boolean;
  readonly partitions: readonly { readonly now: number; readonly to: number; readonly end: number }[];
}

const replay = async (prefix: string, ...args: string[]): Promise<Plan> => {
  const target = ['--target', 'mongo', '--name', 'test', '--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
  return JSON.parse(await runConsumer(['replay', ...target, '--json', ...args]));
};
const back = ({ partitions }: Plan): number => partitions.reduce((sum, { now, to }) => sum + now - to, 0);

describe('replay', () => {
  test('a target that was emptied by hand is whole again after a replay from the beginning', async () => {
    const { prefix, namespace } = await scene();
    const consumer = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(300));
    await world.publish(prefix, namespace, [...documents(100, 1), { removed: 7 }, { removed: 299 }]);
    await world.untilCommitted(prefix, namespace);
    const before = await world.stored(namespace);
    expect(before.size).toBe(298);

    await expect(replay(prefix, '--from', 'beginning')).rejects.toMatchObject({ code: 'TW1353' });
    await consumer.stop();
    await expect(replay(prefix, '--from', 'yesterday')).rejects.toMatchObject({ code: 'TW1358' });
    await expect(replay(prefix, '--from', 'beginning', '--namespace', 'else.*')).rejects.toMatchObject({ code: 'TW1360' });
    const client = await world.mongo.client();
    await client.db(namespace.database).dropDatabase();

    const planned = await replay(prefix, '--from', 'beginning', '--dry-run');
    expect(planned.moved).toBe(false);
    expect(await world.lag(prefix, namespace)).toBe(0);
    const done = await replay(prefix, '--from', 'beginning', '--namespace', `${namespace.database}.*`);
    expect([done.moved, done.partitions]).toEqual([true, planned.partitions]);
    expect(await world.lag(prefix, namespace)).toBe(back(done));

    const again = world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(await world.stored(namespace)).toEqual(before);
    expect(again.pipeline.isInStep).toBe(true);
  });

  test('from a time or an offset it goes back so far, and never forward', async () => {
    const { prefix, namespace } = await scene();
    const first = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(100));
    await world.untilCommitted(prefix, namespace);
    const between = new Date(Date.now() + 1);
    await waitFor(() => Date.now(), { describe: 'a later time', until: (now) => now > between.getTime() });
    await world.publish(prefix, namespace, documents(50, 1));
    await world.untilCommitted(prefix, namespace);
    await first.stop();
    await world.publish(prefix, namespace, documents(50, 2));

    const ofTime = await replay(prefix, '--from', between.toISOString(), '--dry-run');
    // The changes after that time, and the markers of their transaction.
    expect(back(ofTime)).toBeGreaterThanOrEqual(50);
    expect(back(ofTime)).toBeLessThanOrEqual(50 + 2 * PARTITIONS);
    const future = await replay(prefix, '--from', '2999-01-01T00:00:00Z');
    expect(back(future)).toBe(0);
    const ofOffset = await replay(prefix, '--from', '20');
    expect(ofOffset.partitions.map(({ to }) => to)).toEqual(Array(PARTITIONS).fill(20));
    world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    const stored = await world.stored(namespace);
    expect(documents(100).map(({ document: { _id } }) => stored.get(_id)?.['version'])).toEqual(
      documents(100).map(({ document: { _id } }) => (_id < 50 ? 2 : 0)),
    );
  });
});

async function keepTombstones(prefix: string, namespace: Namespace, forMs: number): Promise<void> {
  const configEntries = [{ name: 'delete.retention.ms', value: String(forMs) }];
  const topic = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topicName(prefix, namespace), configEntries };
  await world.kafka.withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [topic] }));
}

describe('a group that was away for longer than deletes are kept', () => {
  const missed = ({ pipeline }: RunningConsumer): number => [...pipeline.partitions].filter((each) => each.missed !== undefined).length;

  test('is told so, does not forget it, and forgets it when its target is filled again from the beginning', async () => {
    const { prefix, namespace } = await scene(2_000);
    const first = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(100));
    await world.untilCommitted(prefix, namespace);
    expect(missed(first)).toBe(0);
    await first.stop();
    const stoppedAtMs = Date.now();
    await waitFor(() => Date.now(), { describe: 'the retention to pass', until: (now) => now > stoppedAtMs + 3_000 });
    await world.publish(prefix, namespace, documents(100, 1));

    const second = world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(missed(second)).toBe(PARTITIONS);
    expect(second.pipeline.isInStep).toBe(true);
    await second.stop();
    const third = world.consumer(prefix);
    await waitFor(() => missed(third), { describe: 'it to be known again', until: (count) => count === PARTITIONS });
    await third.stop();

    // Joining takes longer than tombstones were kept until now.
    await keepTombstones(prefix, namespace, 3_600_000);
    await replay(prefix, '--from', 'beginning');
    const fourth = world.consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(missed(fourth)).toBe(0);
  });

  test('one that was away, and has everything nevertheless, is not', async () => {
    const { prefix, namespace } = await scene(500);
    const first = world.consumer(prefix);
    await world.publish(prefix, namespace, documents(20));
    await world.untilCommitted(prefix, namespace);
    await first.stop();
    const stoppedAtMs = Date.now();
    await waitFor(() => Date.now(), { describe: 'the retention to pass', until: (now) => now > stoppedAtMs + 1_000 });
    const second = world.consumer(prefix);
    await waitFor(() => second.pipeline.isInStep && second.partitions, {
      describe: 'the partitions',
      until: (count) => count === PARTITIONS,
    });
    expect(missed(second)).toBe(0);
  });

  test('one whose offsets Kafka has forgotten meanwhile is told so as well; a new one is not, nor where nothing that was ever there is gone', async () => {
    const { prefix, namespace } = await scene();
    await world.publish(prefix, namespace, documents(20));
    const target = ['--target', 'mongo', '--target-url', world.mongo.uri, '--name', 'test'];
    const start = ['start', ...target, '--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
    const statusWhenDone = async () => {
      const port = await freePort();
      const stop = new AbortController();
      const running = runConsumer([...start, '--status-port', String(port)], stop.signal);
      const status = async () => JSON.parse(await (await fetch(`http://127.0.0.1:${port}/status`)).text());
      const found = await waitFor(status, {
        describe: 'everything applied, and the group’s standing known',
        until: ({ inSync, missedDeletes, counts }) => counts.read >= 20 && (inSync || missedDeletes.length > 0),
        timeoutMs: 60_000,
      });
      await world.untilCommitted(prefix, namespace);
      await waitFor(() => world.kafka.withAdmin((admin) => admin.listTopics()), {
        describe: 'the topic by which the group is known to have been there',
        until: (topics) => topics.includes(deadLetterTopicName(prefix, 'test')),
      });
      stop.abort(new StopRequested('SIGTERM'));
      await running;
      return found as { inSync: boolean; missedDeletes: unknown[] };
    };
    expect(await statusWhenDone()).toMatchObject({ inSync: true, missedDeletes: [] });
    const forget = () => world.kafka.withAdmin((admin) => admin.deleteGroups([`${prefix}.test`]));
    await forget();
    expect(await statusWhenDone()).toMatchObject({ inSync: true, missedDeletes: [] });
    // As if the topic had begun longer ago than deletes are kept.
    await keepTombstones(prefix, namespace, 1000);
    await forget();
    expect(await statusWhenDone()).toMatchObject({ inSync: false, missedDeletes: [{ topic: topicName(prefix, namespace) }] });
  });
});
