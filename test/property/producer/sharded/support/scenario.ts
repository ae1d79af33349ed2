// One case: a cluster, what is done to it, and in which order everybody comes to it.

import { TailwaterError } from '@tailwater/runtime';
import fc from 'fast-check';
import { isRetriableMongoError } from '#producer/source/mongo/mongo-errors.js';
import { CommittedLog, type Fault, InjectedFault } from '#test/property/producer/support/committed-log.js';
import { addShard, migrate, movePrimary, noise, removeShard, reshard } from './balancing.js';
import { type Write, write } from './clients.js';
import { COLLECTIONS, ITEMS, ModelCluster, ORDERS, REGIONS, type Steps } from './model-cluster.js';
import type { ModelShard } from './model-shard.js';
import { ShardedPipeline } from './sharded-pipeline.js';
import { Turns } from './turns.js';

export const IDS = 4;
const SHARDS = ['a', 'b', 'c'];

const ns = fc.constantFrom(ORDERS, ORDERS, ORDERS, ITEMS, COLLECTIONS[2] as string);
const region = fc.nat(REGIONS - 1);
const shard = fc.nat(SHARDS.length - 1);

const wish: fc.Arbitrary<Write> = fc.record({
  does: fc.oneof(
    { weight: 4, arbitrary: fc.constant('insert' as const) },
    { weight: 4, arbitrary: fc.constant('move' as const) },
    { weight: 6, arbitrary: fc.constantFrom('replace' as const, 'patch' as const, 'delete' as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('moveAndAbort' as const, 'copyElsewhere' as const, 'deleteMany' as const, 'updateMany' as const),
    },
  ),
  ns,
  id: fc.nat(IDS - 1),
  region,
  which: fc.nat(1),
  router: fc.nat(1),
  leavesLast: fc.boolean(),
});

const deed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('migrate' as const), ns, chunk: region, shard }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('movePrimary' as const), shard, marks: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reshard' as const), shift: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('addShard' as const, 'removeShard' as const), shard }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('noise' as const), shard, kind: fc.nat(5) }) },
);
type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never;

export const scenario = fc.record({
  listed: fc.integer({ min: 2, max: 3 }),
  options: fc.record({ hidesOrphans: fc.boolean(), groups: fc.boolean() }),
  clients: fc.tuple(fc.array(wish, { maxLength: 10 }), fc.array(wish, { maxLength: 6 })),
  deeds: fc.array(deed, { maxLength: 5 }),
  batchEntries: fc.integer({ min: 1, max: 5 }),
  laneBytes: fc.constantFrom(0, 1000, 1_000_000),
  lags: fc.array(fc.nat(4), { maxLength: 30 }),
  fates: fc.array(
    fc.constantFrom('answer' as const, 'answer' as const, 'answer' as const, 'endedCursor' as const, 'lostConnection' as const),
    { maxLength: 8 },
  ),
  faults: fc.array(fc.constantFrom<Fault>(undefined, undefined, undefined, 'lost', 'unanswered'), { maxLength: 8 }),
  choices: fc.array(fc.nat(11), { maxLength: 200 }),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

export interface Outcome {
  readonly cluster: ModelCluster;
  readonly log: CommittedLog;
  readonly pipeline: ShardedPipeline;
  readonly sessions: number;
}

function steps(cluster: ModelCluster, each: Deed, at: number): Steps | undefined {
  const shardOf = (index: number): ModelShard => cluster.all[index] as ModelShard;
  switch (each.does) {
    case 'migrate':
      return migrate(cluster, each.ns, each.ns === COLLECTIONS[2] ? 0 : each.chunk, shardOf(each.shard));
    case 'movePrimary':
      return movePrimary(cluster, shardOf(each.shard), each.marks);
    case 'reshard':
      return reshard(cluster, each.shift, `uuid${at}`);
    case 'addShard':
      return addShard(cluster, shardOf(each.shard));
    case 'removeShard':
      return removeShard(cluster, shardOf(each.shard));
    default:
      noise(shardOf(each.shard), each.kind);
      return undefined;
  }
}

export async function run({ listed, options, clients, deeds, lags, fates, faults, choices, ...limits }: Scenario): Promise<Outcome> {
  const cluster = new ModelCluster(options, SHARDS, listed);
  const log = new CommittedLog(faults);
  const turns = new Turns(choices);
  const [lagging, fated] = [[...lags], [...fates]];
  const { turn } = turns;
  let asked = 0;
  const walk = async (all: Iterable<Steps | undefined>): Promise<void> => {
    for (const one of all) {
      await turn('step');
      if (one !== undefined) for (const _ of one) await turn('step');
    }
  };
  const writes = function* (wishes: readonly Write[]): Generator<Steps> {
    for (const each of wishes) yield write(cluster, each);
  };
  const deeding = function* (): Generator<Steps | undefined> {
    for (const [at, each] of deeds.entries()) yield steps(cluster, each, at);
  };
  // When all is written, every shard says that time goes on.
  let last = Number.POSITIVE_INFINITY;
  // What was written before the first position stands is a snapshot's to copy, which is not in this model.
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const writing = begun.then(async () => {
    await Promise.all([...clients.map((wishes) => walk(writes(wishes))), walk(deeding())]);
    const now = cluster.clock;
    last = now + 1;
    for (const each of cluster.all) {
      each.hear(now);
      each.noop();
    }
  });
  const pipeline = new ShardedPipeline({
    ...limits,
    cluster,
    turn,
    log,
    // While there are writes, members lag ever again.
    lag: () => (last === Number.POSITIVE_INFINITY ? lags[asked++ % lags.length] : lagging.shift()) ?? 0,
    fate: () => fated.shift() ?? 'answer',
    onBegun: begin,
  });
  let sessions = 0;
  const producing = async (): Promise<void> => {
    for (;;) {
      await turn('session');
      try {
        sessions += 1;
        return await pipeline.session(() => last);
      } catch (error) {
        const isPassing =
          error instanceof InjectedFault || isRetriableMongoError(error) || (error instanceof TailwaterError && error.retriable);
        if (!isPassing) throw error;
      }
    }
  };
  await turns.until(Promise.all([writing, producing()]));
  return { cluster, log, pipeline, sessions };
}
