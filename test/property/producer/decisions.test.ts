// Each decision to copy or to sweep outlives the process that took it: a producer that ends at any of its transactions, before it or
// behind it, leaves a checkpoint from which the next one makes every topic the copy of its collection (promise C).
import { describe, expect, it } from 'vitest';
import type { SnapshotMode } from '#producer/backfill/snapshot/snapshot-plan.js';
import { encodeSignal, type SignalBody } from '#producer/signals/signal.js';
import type { SignalRecord } from '#producer/signals/signal-topic.js';
import { ITEMS, ORDERS } from '#test/unit/producer/support/rows.js';
import { CommittedLog, type Fault, InjectedFault } from './support/committed-log.js';
import { ModelDatabase } from './support/model-database.js';
import { ModelPipeline } from './support/model-pipeline.js';
import { topicOf } from './support/model-topics.js';

const BOTH = [ORDERS, ITEMS];
const KEYS = [0, 1, 2, 3, 4, 5];

interface World {
  readonly database: ModelDatabase;
  readonly log: CommittedLog;
  readonly ask: (body: SignalBody) => void;
}

interface Case {
  /** What a producer is told to copy that runs before the decision; none runs where this is left out. */
  readonly before?: SnapshotMode;
  readonly snapshot: SnapshotMode;
  /** Whether the process survives the failure, with what it remembers. */
  readonly isSameProcess?: boolean;
  readonly isSharded?: boolean;
  /** The orders are left out by so many starts, before others include them again. */
  readonly leftOut?: number;
  /** What the decision follows from. */
  readonly happens: (world: World) => void;
}

const patch = { kind: 'patch', key: 2 } as const;
const put = { kind: 'put', key: 9 } as const;

const deletedTopic = ({ log, database }: World): void => {
  log.delete(topicOf(ORDERS));
  // The tail's first record makes the topic again.
  database.write([patch]);
};
const emptiedTopic = ({ log, database }: Omit<World, 'ask'>): void => {
  log.delete(topicOf(ORDERS));
  log.ensure(topicOf(ORDERS));
  database.write([patch]);
};
/** Somebody makes another topic of the name, and a document is deleted that this one never had. */
const remadeTopic = ({ log, database }: World): void => {
  emptiedTopic({ log, database });
  database.write([{ kind: 'delete', key: 1 }]);
};
const lostCheckpoint = ({ log, database }: World): void => {
  log.forget();
  // The tail goes on behind it.
  database.write([{ kind: 'delete', key: 3 }]);
  database.write([patch]);
};
const unseen = ({ database }: World): void => {
  database.write([{ kind: 'delete', key: 3 }]);
  database.write([patch]);
  // The checkpoint passes them with it at once; without, a second later.
  database.write([put], ITEMS);
};
const renamed = ({ database }: World): void => {
  database.rename(ORDERS, ITEMS);
  database.write([put], ITEMS);
};
const dropped = ({ database }: World): void => {
  database.drop(ORDERS);
  database.write([put]);
};
const signal =
  (body: SignalBody) =>
  ({ ask }: World): void =>
    ask(body);
const onOneShard =
  (kind: 'create' | 'drop') =>
  ({ database }: World): void => {
    database.onOneShard(kind, ORDERS);
    database.write([patch]);
  };

const CASES: Readonly<Record<string, Case>> = {
  'a topic that was deleted': { before: 'initial', snapshot: 'initial', happens: deletedTopic },
  'a topic that was deleted, when needed': { before: 'when-needed', snapshot: 'when-needed', happens: deletedTopic },
  'a topic that was deleted, and a process that goes on': {
    before: 'initial',
    snapshot: 'initial',
    isSameProcess: true,
    happens: deletedTopic,
  },
  'a topic that was made anew': { before: 'initial', snapshot: 'initial', happens: remadeTopic },
  'a topic that was made anew, when needed': { before: 'when-needed', snapshot: 'when-needed', happens: remadeTopic },
  'a topic that was made anew, and a process that goes on': {
    before: 'initial',
    snapshot: 'initial',
    isSameProcess: true,
    happens: remadeTopic,
  },
  'a namespace that was left out': { before: 'initial', snapshot: 'initial', leftOut: 1, happens: unseen },
  'a namespace that was left out, when needed': { before: 'when-needed', snapshot: 'when-needed', leftOut: 1, happens: unseen },
  'a namespace that was left out twice': { before: 'when-needed', snapshot: 'when-needed', leftOut: 2, happens: unseen },
  'a checkpoint that was lost': { before: 'initial', snapshot: 'initial', happens: lostCheckpoint },
  'a checkpoint that was lost, when needed': { before: 'when-needed', snapshot: 'when-needed', happens: lostCheckpoint },
  'a checkpoint that was lost, where nothing is copied': { before: 'initial', snapshot: 'never', happens: lostCheckpoint },
  'a checkpoint that was lost, and a process that goes on': {
    before: 'initial',
    snapshot: 'initial',
    isSameProcess: true,
    happens: lostCheckpoint,
  },
  'a rename': { before: 'initial', snapshot: 'initial', happens: renamed },
  'a rename, when needed': { before: 'when-needed', snapshot: 'when-needed', happens: renamed },
  'a rename, where nothing is copied': { before: 'initial', snapshot: 'never', happens: renamed },
  'a drop': { before: 'initial', snapshot: 'initial', happens: dropped },
  'a drop, where nothing is copied': { before: 'initial', snapshot: 'never', happens: dropped },
  'a drop during the copy': { snapshot: 'when-needed', happens: dropped },
  'a copy of everything': { before: 'never', snapshot: 'always', happens: ({ database }) => database.write([patch]) },
  'a copy of everything, and a process that goes on': {
    before: 'initial',
    snapshot: 'always',
    isSameProcess: true,
    happens: emptiedTopic,
  },
  'a copy that was asked for': { before: 'never', snapshot: 'never', happens: signal({ kind: 'snapshot', namespace: ORDERS.name }) },
  'a reconcile': { before: 'never', snapshot: 'never', happens: signal({ kind: 'reconcile', namespace: ORDERS.name }) },
  'a refresh': { before: 'never', snapshot: 'never', happens: signal({ kind: 'refresh', namespace: ORDERS.name, ids: KEYS }) },
  'a shard that joins in during the copy': { snapshot: 'initial', isSharded: true, happens: onOneShard('create') },
  'a shard that joins in during the copy, when needed': { snapshot: 'when-needed', isSharded: true, happens: onOneShard('create') },
  'a shard that drops its part during the copy': { snapshot: 'initial', isSharded: true, happens: onOneShard('drop') },
  'a shard that drops its part during the copy, when needed': { snapshot: 'when-needed', isSharded: true, happens: onOneShard('drop') },
  'a shard that drops its part behind the copy': {
    before: 'when-needed',
    snapshot: 'when-needed',
    isSharded: true,
    happens: onOneShard('drop'),
  },
};

/** Runs the case with this failure at its transaction `n`. @returns whether there was one */
async function failsAt(
  { before, snapshot, isSameProcess, isSharded = false, leftOut = 0, happens }: Case,
  n: number,
  fault: Fault,
): Promise<boolean> {
  const database = new ModelDatabase({ [ORDERS.name]: KEYS });
  const log = new CommittedLog([]);
  const signals: SignalRecord[] = [];
  const ask = (body: SignalBody): void => {
    const value = encodeSignal({ ...body, id: String(signals.length), askedAtMs: 0 });
    signals.push({ offset: BigInt(signals.length), topicId: undefined, value });
  };
  let left = 0;
  const start = (mode: SnapshotMode): ModelPipeline =>
    new ModelPipeline({
      leftOut: left-- > 0 ? ORDERS.name : undefined,
      database,
      log,
      signals,
      snapshot: mode,
      isSharded,
      turn: () => new Promise(setImmediate),
      batchEntries: 1,
      chunkDocuments: 2,
      parallel: 1,
      lookups: 4,
      lag: () => 0,
      tailLag: () => 0,
      hasSnapshotReads: true,
    });
  const isOver = (): boolean => {
    const { position, signals: executed } = log.checkpoint();
    return position?.compare(database.end) === 0 && executed === BigInt(signals.length);
  };
  const write = (): void => database.write([{ kind: 'put', key: 8 }]);
  if (before !== undefined) {
    write();
    await start(before).session(isOver);
  }
  happens({ database, log, ask });
  const untilFault = log.inject([...Array.from<Fault>({ length: n }), fault]);
  left = leftOut;
  let pipeline = start(snapshot);
  for (let isRunning = true; isRunning; ) {
    try {
      await pipeline.session(isOver);
      // It is included again once `left` is below nothing.
      isRunning = left >= 0 && leftOut > 0;
      if (isRunning) pipeline = start(snapshot);
    } catch (error) {
      if (!(error instanceof InjectedFault)) throw error;
      if (!isSameProcess) pipeline = start(snapshot);
    }
  }
  const isReached = untilFault() === 0;
  for (const namespace of BOTH) {
    const stored = [...database.stateAt(database.end, namespace)].map(([key, document]): [string, Buffer] => [String(key), document]);
    expect([n, fault, namespace.name, new Map([...log.fold(topicOf(namespace))].sort())]).toEqual([
      n,
      fault,
      namespace.name,
      new Map(stored.sort(([a], [b]) => a.localeCompare(b))),
    ]);
  }
  return isReached;
}

describe('a decision', () => {
  it.each(Object.keys(CASES))('of %s outlives its process, wherever that ends', async (name) => {
    let transactions = 0;
    for (const fault of ['lost', 'unanswered'] as const)
      for (let n = 0; await failsAt(CASES[name] as Case, n, fault); n++) transactions += 1;
    expect(transactions).toBeGreaterThan(4);
  });
});
