// What the model found, one case each.
import { describe, expect, it } from 'vitest';
import { CommittedLog } from '../support/committed-log.js';
import { migrate } from './support/balancing.js';
import { type Write, write } from './support/clients.js';
import { expectLastRecords } from './support/last-records.js';
import { ModelCluster, ORDERS, type Steps } from './support/model-cluster.js';
import type { ModelShard } from './support/model-shard.js';
import { type Outcome, run, type Scenario } from './support/scenario.js';
import { ShardedPipeline, topicOf } from './support/sharded-pipeline.js';
import { Turns } from './support/turns.js';

const wish = (does: Write['does'], more: Partial<Write> = {}): Write => ({
  does,
  ns: ORDERS,
  id: 0,
  region: 0,
  which: 0,
  router: 0,
  leavesLast: true,
  ...more,
});

const CASE: Scenario = {
  listed: 2,
  options: { hidesOrphans: true, groups: false },
  clients: [[], []],
  deeds: [],
  batchEntries: 5,
  laneBytes: 1_000_000,
  lags: [],
  fates: [],
  faults: [],
  choices: [],
};

async function end(options: Partial<Scenario>): Promise<Outcome> {
  const outcome = await run({ ...CASE, ...options });
  expectLastRecords(outcome);
  return outcome;
}

const recordsOf = ({ log }: Outcome): (readonly [op: string, origin: string])[] =>
  log.read(topicOf(ORDERS)).map(({ op, origin }) => [op, origin] as const);

/** One process that meets a cluster whose steps a test takes one by one. */
function processOf(cluster: ModelCluster) {
  const turns = new Turns([]);
  const log = new CommittedLog([]);
  const servers = { cluster, turn: turns.turn, lag: () => 0, fate: () => 'answer' as const };
  const pipeline = new ShardedPipeline({ ...servers, log, batchEntries: 5, laneBytes: 1000 });
  const end = (): number => Math.min(...cluster.shards.map((shard) => shard.end.i));
  return { log, session: () => turns.until(pipeline.session(end)) };
}

/** The first so many steps, without an end to the others. */
function* take(steps: Steps, count: number): Steps {
  for (let n = 0; n < count; n++) {
    steps.next();
    yield;
  }
}

describe('on a sharded cluster', () => {
  it('a document whose shard key changes is there at last, though the delete is committed behind the insert', async () => {
    const outcome = await end({ clients: [[wish('insert', { region: 1 }), wish('move', { region: 0 })], []] });
    expect(recordsOf(outcome).at(-1)).toEqual(['replace', 'tail']);
  });

  it('one of two documents with an _id is there at last, when the other is deleted', async () => {
    const writes = [wish('insert'), wish('copyElsewhere', { region: 1 }), wish('delete')];
    expect(recordsOf(await end({ clients: [writes, []] })).map(([op]) => op)).toEqual(['insert', 'insert', 'replace']);
  });

  it('the last of two documents with an _id leaves a tombstone', async () => {
    const writes = [wish('insert'), wish('copyElsewhere', { region: 1 }), wish('delete'), wish('delete')];
    expect(recordsOf(await end({ clients: [writes, []] })).at(-1)).toEqual(['delete', 'tail']);
  });

  it('the delete of an orphan deletes nothing, on servers that write it down like any other', async () => {
    const cluster = new ModelCluster({ hidesOrphans: false, groups: false }, ['a', 'b'], 2);
    const [a, b] = cluster.all as [ModelShard, ModelShard];
    const migration = migrate(cluster, ORDERS, 0, b);
    const order = [write(cluster, wish('insert')), take(migration, 2), write(cluster, wish('patch'))];
    for (const steps of [...order, write(cluster, wish('deleteMany', { which: 0 })), migration]) for (const _ of steps);
    const { session, log } = processOf(cluster);
    cluster.gossip(a, b);
    for (const shard of cluster.all) shard.noop();
    await session();
    expect(log.read(topicOf(ORDERS)).map(({ op }) => op)).toEqual(['insert', 'update', 'replace']);
  });

  it('what a shard wrote before it was removed is read, though no other oplog has it', async () => {
    // The source begins when the shard is gone from the list.
    const outcome = await end({
      clients: [[wish('insert'), wish('patch')], []],
      deeds: [{ does: 'removeShard', shard: 0 }],
      faults: [undefined, 'lost'],
      batchEntries: 1,
    });
    expect(outcome.cluster.shards.map(({ name }) => name)).toEqual(['b']);
  });

  it('a shard that was removed and cannot be read is a gap, and no outage', async () => {
    const cluster = new ModelCluster(CASE.options, ['a', 'b'], 2);
    const [a, b] = cluster.all as [ModelShard, ModelShard];
    const { session, log } = processOf(cluster);
    for (const shard of cluster.all) shard.noop();
    await session();
    expect(log.checkpoint('sharded-cluster').shards).toEqual(cluster.all.map(({ name, host }) => ({ name, host })));
    cluster.list([a]);
    b.isGone = true;
    await expect(session()).rejects.toMatchObject({ code: 'TW1173' });
    // One that is there after all is read, and forgotten behind its removal.
    b.isGone = false;
    cluster.gossip(a, b);
    for (const shard of cluster.all) shard.noop();
    await session();
    expect(log.checkpoint('sharded-cluster').shards).toEqual([{ name: a.name, host: a.host }]);
  });

  it('a member that lagged when the source began does not hold it up', async () => {
    await end({
      clients: [[wish('insert'), wish('move'), wish('replace', { id: 1 })], [wish('replace')]],
      deeds: [{ does: 'migrate', ns: ORDERS, chunk: 1, shard: 0 }],
      batchEntries: 1,
      laneBytes: 0,
      lags: [0, 0, 0, 0, 0, 0, 0, 0, 4],
      faults: [undefined, undefined, 'unanswered', 'unanswered'],
      choices: [0, 2, 0, 0, 2, 3, 3, 3],
    });
  });
});
