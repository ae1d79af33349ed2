// Promises B and C on a sharded cluster, over interleavings that no clock would ever produce. No mongos is at hand: support/ has a model of
// what a cluster writes into the oplogs of its shards, each fact with its source. TAILWATER_SHARDED_RUNS=100000 makes it run for longer.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectLastRecords } from './support/last-records.js';
import { run, scenario } from './support/scenario.js';

const RUNS = Number(process.env['TAILWATER_SHARDED_RUNS'] ?? 2000);

it('the last record of a key is its state, whatever the cluster does', async () => {
  let sessions = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (options) => {
      const outcome = await run(options);
      sessions += outcome.sessions;
      expectLastRecords(outcome);
    }),
    { numRuns: RUNS },
  );
  expect(sessions).toBeGreaterThan(RUNS * 1.5);
}, 3_600_000);
