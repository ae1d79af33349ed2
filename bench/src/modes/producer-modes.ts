// The producer over a backlog of inserts, of updates, of one transaction, and over a collection to copy, each beside prebuilt records sent through the same Kafka client.
import type { Position } from '@tailwater/schema';
import { runBaseline } from '../measure/baseline.js';
import { type Comparison, interleave, type Run } from '../measure/median.js';
import { watchCounter } from '../measure/watch-counter.js';
import { BenchStack, PARTITIONS } from './bench-stack.js';

/** As many as the producer puts into a transaction. */
const TRANSACTION_RECORDS = 2000;
const FLOOR = 0.7;
/** The document of every other event is read from MongoDB, which works on the same processors. */
const UPDATES_FLOOR = 0.4;
/** Operations of the transaction; a larger one does not fit into the time that MongoDB gives it. */
const OPERATIONS = 100_000;

export interface BenchOptions {
  readonly records: number;
  readonly rounds: number;
  /** Chunks that a snapshot reads at once. */
  readonly parallel?: number | undefined;
}

type Fill = (stack: BenchStack, records: number) => Promise<Position>;

export const tailInserts = (options: BenchOptions): Promise<Comparison> =>
  tail('tail-inserts', options, FLOOR, (stack, records) => stack.insert(records));

/** Half of the events are updates. */
export const tailUpdates = (options: BenchOptions): Promise<Comparison> =>
  tail('tail-updates', options, UPDATES_FLOOR, (stack, records) => stack.insertAndUpdate(records / 2));

/** One transaction of many operations, which stands in many entries of the oplog: what counts is the memory. */
export const transaction = (options: BenchOptions): Promise<Comparison> =>
  tail('transaction', { ...options, records: Math.min(options.records, OPERATIONS) }, UPDATES_FLOOR, (stack, records) =>
    stack.insertAtOnce(records),
  );

async function tail(mode: string, options: BenchOptions, floor: number, fill: Fill): Promise<Comparison> {
  await using stack = await BenchStack.start();
  const position = await fill(stack, options.records);
  let round = 0;
  return await compare(mode, stack, options, floor, async () => {
    const prefix = `tail${round++}`;
    await stack.seedCheckpoint(prefix, position);
    return watch(stack, prefix, 'tailwater_producer_events_published_total', options.records);
  });
}

export async function snapshot(options: BenchOptions): Promise<Comparison> {
  await using stack = await BenchStack.start();
  await stack.insert(options.records);
  let round = 0;
  const args = options.parallel === undefined ? [] : ['--snapshot-parallel', String(options.parallel)];
  return await compare('snapshot', stack, options, FLOOR, () =>
    watch(stack, `snapshot${round++}`, 'tailwater_producer_snapshot_documents_published_total', options.records, args),
  );
}

async function watch(stack: BenchStack, prefix: string, counter: string, goal: number, args: readonly string[] = []): Promise<Run> {
  await using producer = await stack.producer(prefix, args);
  return await watchCounter(producer, counter, goal);
}

async function compare(
  mode: string,
  stack: BenchStack,
  options: BenchOptions,
  floor: number,
  ours: () => Promise<Run>,
): Promise<Comparison> {
  let round = 0;
  const result = await interleave(options.rounds, ours, async () => {
    const topic = `limit.${mode}.${round++}`;
    await stack.kafka.createTopic(topic, {
      partitions: PARTITIONS,
      config: { 'cleanup.policy': 'compact', 'max.message.bytes': 20 * 1024 * 1024 },
    });
    return runBaseline('kafka-prebuilt', {
      brokers: stack.kafka.brokers,
      topic,
      partitions: PARTITIONS,
      records: options.records,
      transactionRecords: TRANSACTION_RECORDS,
    });
  });
  return { mode, unit: 'records/s', records: options.records, limitIs: 'prebuilt records, same Kafka client', floor, ...result };
}
