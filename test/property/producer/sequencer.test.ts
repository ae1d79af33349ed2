// Promises A, B, C and E over interleavings that no clock would ever produce: writes, reads of the oplog, lookups, chunks of
// the snapshot and commits, in any order, with transactions that fail or are committed without an answer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckpointReader } from '#producer/checkpoint/checkpoint-record.js';
import { ORDERS } from '#test/unit/producer/support/rows.js';
import { CommittedLog, type CommittedRecord, type Fault, InjectedFault } from './support/committed-log.js';
import { ModelDatabase, type Wish } from './support/model-database.js';
import { ModelPipeline } from './support/model-pipeline.js';

const KEYS = 8;
const wish: fc.Arbitrary<Wish> = fc.record({
  kind: fc.constantFrom('put', 'patch', 'patch', 'delete'),
  key: fc.nat(KEYS - 1),
});
const wishes = fc.oneof(
  { weight: 4, arbitrary: fc.array(wish, { minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(wish, { maxLength: 4 }) },
);

const scenario = fc.record({
  existing: fc.uniqueArray(fc.nat(KEYS - 1), { maxLength: KEYS }),
  writes: fc.array(wishes, { maxLength: 24 }),
  batchEntries: fc.integer({ min: 1, max: 6 }),
  chunkDocuments: fc.integer({ min: 1, max: 4 }),
  parallel: fc.integer({ min: 1, max: 3 }),
  lookups: fc.integer({ min: 1, max: 4 }),
  lags: fc.array(fc.nat(4), { maxLength: 30 }),
  faults: fc.array(fc.constantFrom<Fault>(undefined, undefined, undefined, undefined, 'lost', 'unanswered'), { maxLength: 20 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

interface Run {
  readonly database: ModelDatabase;
  readonly log: CommittedLog;
  readonly pipeline: ModelPipeline;
  readonly sessions: number;
}

async function run(scheduler: fc.Scheduler, options: Scenario): Promise<Run> {
  const database = new ModelDatabase({ [ORDERS.name]: options.existing });
  const log = new CommittedLog(options.faults);
  const lags = [...options.lags];
  const turn = (what: string): Promise<void> => scheduler.schedule(Promise.resolve(), what);
  const pipeline = new ModelPipeline({
    ...options,
    database,
    log,
    turn,
    snapshot: 'initial',
    isSharded: false,
    signals: [],
    lag: () => lags.shift() ?? 0,
    tailLag: () => 0,
    hasSnapshotReads: true,
  });
  let isWritten = false;
  const writing = async (): Promise<void> => {
    for (const group of options.writes) {
      await turn('write');
      database.write(group);
    }
    isWritten = true;
  };
  const isOver = (): boolean => {
    const { position, snapshots } = log.checkpoint();
    return isWritten && position?.compare(database.end) === 0 && snapshots.get(ORDERS.name)?.state === 'done';
  };
  let sessions = 0;
  const running = async (): Promise<void> => {
    while (true) {
      try {
        sessions += 1;
        return await pipeline.session(isOver);
      } catch (error) {
        if (!(error instanceof InjectedFault)) throw error;
      }
    }
  };
  await scheduler.waitFor(Promise.all([writing(), running()]));
  return { database, log, pipeline, sessions };
}

const recordsOf = ({ log }: Run): CommittedRecord[] => log.publications.flatMap(({ records }) => [...records]);

function byKey(records: readonly CommittedRecord[]): Map<string, CommittedRecord[]> {
  const found = new Map<string, CommittedRecord[]>();
  for (const record of records) found.set(record.key, [...(found.get(record.key) ?? []), record]);
  return found;
}

/** Promise A: what a checkpoint covers is in its own transaction or an earlier one. */
function expectCheckpointsCovered({ database, log }: Run): void {
  const published = new Set<string>();
  const reader = new CheckpointReader('rs0');
  for (const { records, checkpoint } of log.publications) {
    for (const { origin, position, key } of records) if (origin === 'tail') published.add(`${position} ${key}`);
    for (const { key, value } of checkpoint) reader.add(key, value);
    const { position: covered } = reader.result();
    for (const { position, op, key } of database.events) {
      if (covered === undefined || position.i > covered.i || published.has(`${position} ${key}`)) continue;
      // Only an update may be left out, and only when a delete of its document follows.
      expect(op).toBe('update');
      expect(database.events.some((later) => later.op === 'delete' && later.key === key && later.position.compare(position) > 0)).toBe(
        true,
      );
    }
  }
}

/** Promise B: one partition a key, and its records in oplog order. */
function expectOrderPerKey(run: Run): void {
  for (const records of byKey(recordsOf(run)).values()) {
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
    const seen = new Set<string>();
    for (const [index, record] of records.entries()) {
      const before = records[index - 1];
      // After a crash inside a transaction all of it comes again: the same positions, so the same versions (promise D).
      const isRepeated = seen.has(record.position.toString()) && record.position.version === before?.position.version;
      seen.add(record.position.toString());
      if (before === undefined || isRepeated) continue;
      if (record.origin === 'tail') expect(record.position.compare(before.position)).toBeGreaterThan(0);
      // A row may stand at the position of an event that it already holds.
      else expect(record.position.version).toBeGreaterThanOrEqual(before.position.version);
    }
  }
}

/** Promise C: each record is the document as it was then or later, and the last one is its state. */
function expectState(run: Run): void {
  const { database } = run;
  const folded = new Map<string, Buffer>();
  for (const { key, position, op, document } of recordsOf(run)) {
    if (document === undefined) folded.delete(key);
    else folded.set(key, document);
    if (document !== undefined && op !== 'delete') {
      const writtenAt = String(/(\d+(?::\d+)?)\0\0$/.exec(document.toString('latin1'))?.[1]);
      const [i = 0, ordinal = 0] = writtenAt.split(':').map(Number);
      const isReadLater = op === 'read' || op === 'update';
      // A row of a snapshot was written at its position or before, and not again until then; an update's document then or later.
      if (op === 'update') expect(i).toBeGreaterThanOrEqual(position.i);
      if (!isReadLater) expect([i, ordinal]).toEqual([position.i, position.ordinal]);
      if (op === 'read') expect(document).toEqual(database.stateAt(position).get(Number(key)));
    }
  }
  const expected = new Map([...database.stateAt(database.end)].map(([key, document]) => [String(key), document]));
  expect(new Map([...folded].sort())).toEqual(new Map([...expected].sort()));
}

describe('Sequencer with a tail and a snapshot', () => {
  it('keeps its promises whatever comes first, and whatever fails', async () => {
    const seen = { sessions: 0, snapshotRecords: 0, superseded: 0, publications: 0 };
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, options) => {
        const result = await run(scheduler, options);
        expectCheckpointsCovered(result);
        expectOrderPerKey(result);
        expectState(result);
        seen.sessions += result.sessions;
        seen.publications += result.log.publications.length;
        seen.snapshotRecords += recordsOf(result).filter(({ origin }) => origin === 'snapshot').length;
        seen.superseded += result.pipeline.counts.eventsSuperseded + result.pipeline.counts.snapshotSuperseded;
      }),
      { numRuns: 300 },
    );
    // The scenarios did what they are for.
    expect(seen.sessions).toBeGreaterThan(450);
    expect(Math.min(seen.snapshotRecords, seen.superseded, seen.publications)).toBeGreaterThan(100);
  }, 120_000);

  it('accounts for every event and every row', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, options) => {
        const { database, pipeline } = await run(scheduler, { ...options, faults: [] });
        const { eventsRead, eventsPublished, eventsSuperseded, eventsFiltered, ...counts } = pipeline.counts;
        expect(eventsRead).toBe(database.events.length);
        expect(eventsRead).toBe(eventsPublished + eventsSuperseded + eventsFiltered);
        expect(counts.snapshotRead).toBe(counts.snapshotPublished + counts.snapshotSuperseded);
        expect(counts.entriesRead).toBe(database.entries.length);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
