// What happens on a cluster of three brokers in a month, in a minute, through the command line: first starts with many collections, writes all the time, kills, leaders that
// move, brokers that restart, collections that come and go, Kafka that is away. TAILWATER_TEST_SEED and TAILWATER_TEST_STEPS make other and longer ones of it.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  countDifferences,
  type KafkaCluster,
  LiveMix,
  mixedFields,
  mixedId,
  type PipelineProcess,
  Random,
  startKafkaCluster,
  waitFor,
} from '@tailwater/devstack';
import type { Collection, Db } from 'mongodb';
import { afterAll, beforeAll, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

const SEED = Number(process.env['TAILWATER_TEST_SEED'] ?? 1);
const STEPS = Number(process.env['TAILWATER_TEST_STEPS'] ?? 10);
const COLLECTIONS = Number(process.env['TAILWATER_TEST_COLLECTIONS'] ?? 20);
/** Of the collections at first start, those that are written to. */
const BUSY = 5;
const SESSION = ['--session-timeout', '6'];
/** Ceilings that a slow machine does not reach, in milliseconds. */
const TEST_MS = 600_000 + STEPS * 60_000;

let world: PipelineWorld<KafkaCluster>;
let shop: Db;
beforeAll(async () => {
  world = await PipelineWorld.on(startKafkaCluster(), { mongoTarget: true });
  shop = (await world.source.client()).db('shop');
});
afterAll(() => world?.[Symbol.asyncDispose]());

const few = (random: Random, from: number) =>
  Array.from({ length: 20 }, (_, n) => ({ _id: mixedId(random, from + n) as never, ...mixedFields(random, 200) }));

/** What can happen, each with how often, beside the others. */
function events(random: Random, processes: readonly PipelineProcess[]): readonly (readonly [number, string, () => Promise<unknown>])[] {
  let made = 0;
  const { nodes } = world.kafka;
  const anyTopic = async (): Promise<string> => {
    const topics = await waitFor(() => world.kafka.withAdmin((admin) => admin.listTopics()), {
      until: (all) => all.some((topic) => topic.startsWith(`${world.prefix}.shop.`)),
      describe: 'a topic of a collection',
      timeoutMs: 60_000,
    });
    return random.pick(topics.filter((topic) => topic.startsWith(`${world.prefix}.shop.`)).sort());
  };
  const anyCollection = async (): Promise<Collection> => {
    const names = (await shop.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    return shop.collection(random.pick(names.filter((name) => name.startsWith('small')).sort()));
  };
  return [
    [4, 'a process is killed', async () => restartKilled(random.pick(processes))],
    [2, 'a process stops and starts', async () => random.pick(processes).restart()],
    [2, 'a process is frozen for longer than its session', async () => frozen(random.pick(processes), 8000)],
    [2, 'a broker is killed', async () => restartKilled(random.pick(nodes)).then(() => world.kafka.untilInSync())],
    [1, 'a broker restarts', async () => world.kafka.rollOne(random.pick(nodes))],
    [1, 'Kafka is away', async () => frozen(world.kafka, 5000)],
    [4, 'a leader moves', async () => world.kafka.moveLeader(await anyTopic(), random.below(2))],
    [
      4,
      'collections appear',
      async () => {
        for (let n = 0; n < 5; n++) await shop.collection(`small-late-${made++}`).insertMany(few(random, 500_000 + made * 100));
      },
    ],
    [2, 'a collection is dropped', async () => (await anyCollection()).drop()],
    [1, 'a collection is renamed', async () => (await anyCollection()).rename(`small-renamed-${made++}`)],
  ];
}

async function restartKilled(victim: { kill9(): Promise<void>; start(): Promise<void> }): Promise<void> {
  await victim.kill9();
  await victim.start();
}

async function frozen(victim: { pause(): Promise<void>; resume(): Promise<void> }, forMs: number): Promise<void> {
  await victim.pause();
  await sleep(forMs);
  await victim.resume();
}

/** Names of the collections of which source and target differ, or that only the target has. */
async function different(): Promise<string[]> {
  const [source, target] = [await world.source.client(), await world.target.client()];
  const namesOf = async (client: typeof source) =>
    (await client.db('shop').listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const names = new Set([...(await namesOf(source)), ...(await namesOf(target))]);
  const found: string[] = [];
  for (const name of names) if (countDifferences(await world.mongoDifferences(name)) > 0) found.push(name);
  return found.sort();
}

it(
  `loses nothing and leaves nothing behind, and is in step within a minute of the last write (seed ${SEED})`,
  async () => {
    const random = new Random(SEED);
    for (let n = 0; n < COLLECTIONS; n++) await shop.collection(`${n < BUSY ? 'busy' : 'small'}-${n}`).insertMany(few(random, n * 100));
    const [producer, ...consumers] = await Promise.all([
      world.producer(...SESSION, '--partitions', '2'),
      world.mongoConsumer(...SESSION),
      world.mongoConsumer(...SESSION),
    ]);
    const busy = Array.from({ length: BUSY }, (_, n) => shop.collection(`busy-${n}`));
    const mix = new LiveMix(busy, new Random(SEED + 1), 1_000_000, { rate: 200, documentBytes: 300 });
    await mix.adopt(100);
    const stop = new AbortController();
    const writing = mix.run(stop.signal);
    const all = events(random, [producer, ...consumers]);
    const wheel = all.flatMap((event) => Array.from({ length: event[0] }, () => event));
    const happened: string[] = [];
    try {
      for (let step = 0; step < STEPS; step++) {
        await sleep(random.below(2000));
        const [, what, happen] = random.pick(wheel);
        happened.push(what);
        await happen();
      }
    } finally {
      stop.abort();
      await writing;
    }
    const endedAtMs = performance.now();
    await waitFor(different, {
      until: (names) => names.length === 0,
      describe: (names) => `source and target to be equal after ${happened.join(', ')}, which differ in ${names}`,
      timeoutMs: 300_000,
      intervalMs: 500,
    });
    console.log(
      `seed ${SEED}: ${mix.operations} writes; ${happened.join(', ')}; in step after ${Math.round((performance.now() - endedAtMs) / 1000)} s`,
    );
    await waitFor(() => world.kafka.members(`${world.prefix}.mongo`), {
      until: (members) => members === consumers.length,
      describe: (members) => `one member a process, not ${members}`,
      timeoutMs: 60_000,
    });
  },
  TEST_MS,
);
