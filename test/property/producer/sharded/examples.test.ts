// What the model found, one case each.
import { describe, expect, it } from 'vitest';
import type { Write } from './support/clients.js';
import { expectLastRecords } from './support/last-records.js';
import { ORDERS } from './support/model-cluster.js';
import { type Outcome, run, type Scenario } from './support/scenario.js';
import { topicOf } from './support/sharded-pipeline.js';

const write = (does: Write['does'], more: Partial<Write> = {}): Write => ({
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

describe('on a sharded cluster', () => {
  it('a document whose shard key changes is there at last, though the delete is committed behind the insert', async () => {
    const outcome = await end({ clients: [[write('insert', { region: 1 }), write('move', { region: 0 })], []] });
    expect(recordsOf(outcome).at(-1)).toEqual(['replace', 'tail']);
  });

  it('one of two documents with an _id is there at last, when the other is deleted', async () => {
    const writes = [write('insert'), write('copyElsewhere', { region: 1 }), write('delete')];
    expect(recordsOf(await end({ clients: [writes, []] })).map(([op]) => op)).toEqual(['insert', 'insert', 'replace']);
  });

  it('the last of two documents with an _id leaves a tombstone', async () => {
    const writes = [write('insert'), write('copyElsewhere', { region: 1 }), write('delete'), write('delete')];
    expect(recordsOf(await end({ clients: [writes, []] })).at(-1)).toEqual(['delete', 'tail']);
  });

  it('the delete of an orphan deletes nothing, on servers that write it down like any other', async () => {
    const outcome = await end({
      options: { hidesOrphans: false, groups: false },
      clients: [[write('insert'), write('insert', { id: 1 }), write('patch'), write('deleteMany', { which: 0 })], []],
      deeds: [{ does: 'migrate', ns: ORDERS, chunk: 0, shard: 1 }],
      // The patch comes behind the migration, and the statement before the orphan is gone.
      choices: [3, 1, 3, 2, 1, 1, 3, 0, 2, 3, 2, 1, 2, 1, 3, 1],
    });
    expect(recordsOf(outcome).map(([op]) => op)).toContain('replace');
  });

  it('a member that lagged when the source began does not hold it up', async () => {
    await end({
      clients: [[write('insert'), write('move'), write('replace', { id: 1 })], [write('replace')]],
      deeds: [{ does: 'migrate', ns: ORDERS, chunk: 1, shard: 0 }],
      batchEntries: 1,
      laneBytes: 0,
      lags: [0, 0, 0, 0, 0, 0, 0, 0, 4],
      faults: [undefined, undefined, 'unanswered', 'unanswered'],
      choices: [0, 2, 0, 0, 2, 3, 3, 3],
    });
  });
});
