// What happens on a cluster of three brokers in a month, in a minute, through the command line: first starts with many collections, writes all the time, kills, leaders that
// move, brokers that restart, collections that come and go, Kafka that is away. TAILWATER_TEST_SEED and TAILWATER_TEST_STEPS make other and longer ones of it.
import { readFile } from 'node:fs/promises';
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
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { historyOf } from './support/history.js';

const SEED = Number(process.env['TAILWATER_TEST_SEED'] ?? 1);
const STEPS = Number(process.env['TAILWATER_TEST_STEPS'] ?? 12);
const COLLECTIONS = Number(process.env['TAILWATER_TEST_COLLECTIONS'] ?? 20);
/** Documents whose history is told when they differ. */
const MAX_TOLD = 3;
/** Of the collections at first start, those that are written to. */
const BUSY = 5;
const SESSION = ['--session-timeout', '6'];
/** How long, in milliseconds, the group may count a member that was killed or frozen, or whose coordinator was: it has a session with the next one too. */
const GHOST_MS = 40_000;
/** Longer than the others wait for a broker to say that it lives: `broker.session.timeout.ms`. */
const BROKER_FROZEN_MS = 12_000;
/** Ceilings that a slow machine does not reach, in milliseconds. */
const TEST_MS = 600_000 + STEPS * 60_000;

let world: PipelineWorld<KafkaCluster>;
let shop: Db;
beforeAll(async () => {
  // So small that it rolls over in a moment. Without the delay it is kept back to the storage engine's last checkpoint, a minute ago.
  world = await PipelineWorld.on(startKafkaCluster(), { source: { oplogSizeMb: 16, syncDelaySeconds: 1 }, mongoTarget: true });
  shop = (await world.source.client()).db('shop');
});
afterAll(() => world?.[Symbol.asyncDispose]());

const few = (random: Random, from: number) =>
  Array.from({ length: 20 }, (_, n) => ({ _id: mixedId(random, from + n) as never, ...mixedFields(random, 200) }));

/** Writes, to where nobody looks, until the oplog begins behind this moment. */
async function rollOver(): Promise<void> {
  const client = await world.source.client();
  const afterS = Math.ceil(Date.now() / 1000);
  await waitFor(
    async () => {
      await client
        .db('elsewhere')
        .collection('filler')
        .insertMany(Array.from({ length: 20 }, () => ({ bytes: Buffer.alloc(100_000, 1) })));
      const oldest = await client
        .db('local')
        .collection('oplog.rs')
        .find({}, { projection: { ts: 1 }, sort: { $natural: 1 }, limit: 1 })
        .next();
      return oldest?.['ts'].t > afterS;
    },
    { describe: 'the oplog to roll over', timeoutMs: 120_000, intervalMs: 10 },
  );
}

/** What can happen, each with how often, beside the others; each happens once at least. */
function events(
  random: Random,
  processes: readonly [PipelineProcess, ...PipelineProcess[]],
): readonly (readonly [number, string, () => Promise<unknown>])[] {
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
    [
      1,
      'the oplog rolls over while the producer is down',
      async () => {
        await processes[0].kill9();
        await rollOver();
        await processes[0].start();
      },
    ],
    [2, 'a process stops and starts', async () => random.pick(processes).restart()],
    [2, 'a process is frozen for longer than its session', async () => frozen(random.pick(processes), 8000)],
    [2, 'a broker is killed', async () => restartKilled(random.pick(nodes)).then(() => world.kafka.untilInSync())],
    // The others elect new leaders, and for a moment, when it goes on, it takes itself for the one of before.
    [1, 'a broker is frozen', async () => frozen(random.pick(nodes), BROKER_FROZEN_MS).then(() => world.kafka.untilInSync())],
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

/** How many members too many the broker counts, time and again until the signal aborts; of those that were killed or frozen a moment ago one each may be there still. */
async function watchMembers(processes: number, happened: readonly Happened[], signal: AbortSignal): Promise<string[]> {
  const tooMany: string[] = [];
  while (!signal.aborted) {
    const ghosts = happened.filter(
      ({ what, atMs }) => /killed|frozen|away|restarts|stops/.test(what) && performance.now() - atMs < GHOST_MS,
    );
    const members = await world.kafka.members(`${world.prefix}.mongo`).catch(() => 0);
    if (members > processes + ghosts.length)
      tooMany.push(`${members} members of ${processes} processes after ${ghosts.map(({ what }) => what)}`);
    await sleep(500);
  }
  return tooMany;
}

/** What differs, and where the group stands there. */
async function details(names: readonly string[]): Promise<string> {
  const told = names.map(async (name) => {
    const topic = `${world.prefix}.shop.${name}`;
    const { missing, extra, different } = await world.mongoDifferences(name);
    const [committed, ends] = await world.kafka.withAdmin(async (admin) => {
      await admin.listGroups();
      return [await admin.fetchOffsets({ groupId: `${world.prefix}.mongo`, topics: [topic] }), await admin.fetchTopicOffsets(topic)];
    });
    const [source, target] = [await world.source.client(), await world.target.client()];
    const place = { source, target, brokers: world.kafka.brokers, topic, database: 'shop', collection: name };
    const histories = await Promise.all([...missing, ...extra, ...different].slice(0, MAX_TOLD).map((key) => historyOf(place, key)));
    return { name, missing: missing.length, extra: extra.length, different: different.length, histories, committed, ends };
  });
  return JSON.stringify(await Promise.all(told));
}

/** What the processes say of themselves, and the last words of their logs. */
const told = async (processes: readonly PipelineProcess[]): Promise<string> =>
  JSON.stringify(
    await Promise.all(
      processes.map(async (each) => [
        await each.status().catch(String),
        (await readFile(each.logFile, 'utf8')).trimEnd().split('\n').slice(-5),
      ]),
    ),
  );

interface Happened {
  readonly what: string;
  /** When it was over, on the monotonic clock; until then, that it has not ended. */
  atMs: number;
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
    const once = [...all];
    const happened: Happened[] = [];
    const watching = watchMembers(consumers.length, happened, stop.signal);
    try {
      for (let step = 0; step < STEPS; step++) {
        await sleep(random.below(2000));
        const isSpare = STEPS - step > once.length && random.below(2) === 0;
        const [, what, happen] =
          isSpare || once.length === 0 ? random.pick(wheel) : (once.splice(random.below(once.length), 1)[0] as (typeof all)[0]);
        const entry = { what, atMs: Number.POSITIVE_INFINITY };
        happened.push(entry);
        await happen();
        entry.atMs = performance.now();
      }
    } catch (error) {
      console.error(`After ${happened.map(({ what }) => what).join(', ')}`, await told([producer, ...consumers]));
      throw error;
    } finally {
      stop.abort();
      await writing;
    }
    const story = happened.map(({ what }) => what).join(', ');
    const endedAtMs = performance.now();
    await waitFor(different, {
      until: (names) => names.length === 0,
      describe: (names) => `source and target to be equal after ${story}, which differ in ${names}`,
      timeoutMs: 60_000,
      intervalMs: 500,
    }).catch(async (error: unknown) => {
      console.error(await details(await different()), await told([producer, ...consumers]));
      throw error;
    });
    console.log(`seed ${SEED}: ${mix.operations} writes; ${story}; in step after ${Math.round((performance.now() - endedAtMs) / 1000)} s`);
    expect(await watching).toEqual([]);
    await waitFor(() => world.kafka.members(`${world.prefix}.mongo`), {
      until: (members) => members === consumers.length,
      describe: (members) => `one member a process, not ${members}`,
      timeoutMs: 60_000,
    });
  },
  TEST_MS,
);
