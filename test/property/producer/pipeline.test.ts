// Promises B and C over interleavings that no clock would ever produce, of all that the pipeline does beside its tail: drops, renames,
// copies, sweeps, refreshes and pauses that somebody asks for, members that lag, a second producer that takes over, and failures.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeSignal, type SignalBody } from '#producer/signals/signal.js';
import type { SignalRecord } from '#producer/signals/signal-topic.js';
import { ITEMS, ORDERS } from '#test/unit/producer/support/rows.js';
import { CommittedLog, type Fault, InjectedFault } from './support/committed-log.js';
import { ModelDatabase } from './support/model-database.js';
import { ModelPipeline } from './support/model-pipeline.js';
import { topicOf } from './support/model-topics.js';

const KEYS = 5;
const BOTH = [ORDERS, ITEMS] as const;
const which = fc.constantFrom(...BOTH);
const key = fc.nat(KEYS - 1);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constant('write' as const), namespace: which, kind: fc.constantFrom('put', 'patch', 'delete'), key }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('drop' as const), namespace: which }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('rename' as const), namespace: which }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('onOneShard' as const), namespace: which, kind: fc.constantFrom('create', 'drop') }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('snapshot' as const, 'reconcile' as const), namespace: which }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('refresh' as const), namespace: which, ids: fc.array(key, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('pause' as const), tail: fc.boolean() }) },
);

const scenario = fc.record({
  existing: fc.uniqueArray(key, { maxLength: KEYS }),
  steps: fc.array(step, { maxLength: 20 }),
  snapshot: fc.constantFrom('initial' as const, 'when-needed' as const, 'always' as const),
  isSharded: fc.boolean(),
  hasSnapshotReads: fc.boolean(),
  hasSecond: fc.boolean(),
  batchEntries: fc.integer({ min: 1, max: 4 }),
  chunkDocuments: fc.integer({ min: 1, max: 3 }),
  parallel: fc.integer({ min: 1, max: 2 }),
  lookups: fc.integer({ min: 1, max: 4 }),
  lags: fc.array(fc.nat(4), { maxLength: 30 }),
  tailLags: fc.array(fc.nat(6), { maxLength: 40 }),
  faults: fc.array(fc.constantFrom<Fault>(undefined, undefined, undefined, undefined, 'lost', 'unanswered'), { maxLength: 20 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;
type Step = Scenario['steps'][number];

async function run(scheduler: fc.Scheduler, options: Scenario) {
  const database = new ModelDatabase({ [ORDERS.name]: options.existing });
  const log = new CommittedLog(options.faults);
  const signals: SignalRecord[] = [];
  const [lags, tailLags] = [[...options.lags], [...options.tailLags]];
  const turn = (what: string): Promise<void> => scheduler.schedule(Promise.resolve(), what);
  const ask = (body: SignalBody): void => {
    const value = encodeSignal({ ...body, id: String(signals.length), askedAtMs: 0 });
    signals.push({ offset: BigInt(signals.length), topicId: undefined, value });
  };
  let isWritten = false;
  const writing = async (): Promise<void> => {
    for (const each of options.steps) {
      await turn('write');
      take(each);
    }
    ask({ kind: 'resume' });
    isWritten = true;
  };
  const take = (each: Step): void => {
    const { does } = each;
    if (does === 'write') database.write([each], each.namespace);
    else if (does === 'drop') database.drop(each.namespace);
    else if (does === 'rename') database.rename(each.namespace, each.namespace === ORDERS ? ITEMS : ORDERS);
    else if (does === 'onOneShard') {
      if (options.isSharded) database.onOneShard(each.kind, each.namespace);
    } else if (does === 'refresh') ask({ kind: does, namespace: each.namespace.name, ids: each.ids });
    else if (does === 'pause') ask({ kind: does, tail: each.tail });
    else ask({ kind: does, namespace: each.namespace.name });
  };
  const isOver = (): boolean => {
    const { position, signals: executed } = log.checkpoint();
    return isWritten && position?.compare(database.end) === 0 && executed === BigInt(signals.length);
  };
  let sessions = 0;
  const processes = { alive: options.hasSecond ? 2 : 1 };
  const producing = async (): Promise<void> => {
    const pipeline = new ModelPipeline({
      ...options,
      database,
      log,
      turn,
      signals,
      lag: () => lags.shift() ?? 0,
      tailLag: () => tailLags.shift() ?? 0,
    });
    while (true) {
      await turn('lead');
      try {
        sessions += 1;
        return await pipeline.session(isOver);
      } catch (error) {
        if (!(error instanceof InjectedFault)) throw error;
        // Whoever was fenced leaves the work to the other.
        if (error.message !== 'fenced' || processes.alive === 1) continue;
        processes.alive -= 1;
        return;
      }
    }
  };
  await scheduler.waitFor(Promise.all([writing(), ...Array.from({ length: processes.alive }, producing)]));
  return { database, log, sessions };
}

it('every topic comes to be its collection, whatever comes first, and whatever fails', async () => {
  const seen = { sessions: 0, sweep: 0, refresh: 0, snapshot: 0 };
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, options) => {
      const { database, log, sessions } = await run(scheduler, options);
      seen.sessions += sessions;
      for (const namespace of BOTH) {
        const newest = new Map<string, bigint>();
        for (const { key: of, position, origin } of log.read(topicOf(namespace))) {
          if (origin !== 'tail') seen[origin as 'sweep' | 'refresh' | 'snapshot'] += 1;
          newest.set(of, position.version);
        }
        const stored = [...database.stateAt(database.end, namespace)].map(([of, document]): [string, Buffer] => [String(of), document]);
        expect(new Map([...log.fold(topicOf(namespace))].sort())).toEqual(new Map(stored.sort(([a], [b]) => a.localeCompare(b))));
        // A target that compares versions takes the last record of each key: none before it is newer.
        for (const { key: of, position } of log.read(topicOf(namespace)))
          expect(position.version).toBeLessThanOrEqual(newest.get(of) as bigint);
      }
    }),
    { numRuns: 150 },
  );
  expect(Math.min(seen.sessions - 150, seen.sweep, seen.refresh, seen.snapshot)).toBeGreaterThan(20);
}, 240_000);
