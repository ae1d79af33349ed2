// The producer over a backlog of inserts, and over a collection to copy, each beside prebuilt records sent through the same Kafka client.

import { runBaseline } from '../measure/baseline.js';
import { type Comparison, interleave, type Run } from '../measure/median.js';
import { watchCounter } from '../measure/watch-counter.js';
import { BenchStack, PARTITIONS } from './bench-stack.js';

/** As many as the producer puts into a transaction. */
const TRANSACTION_RECORDS = 2000;
const FLOOR = 0.7;

export interface BenchOptions {
  readonly records: number;
  readonly rounds: number;
}

export async function tailInserts(options: BenchOptions): Promise<Comparison> {
  await using stack = await BenchStack.start();
  const position = await stack.insert(options.records);
  let round = 0;
  return await compare('tail-inserts', stack, options, async () => {
    const prefix = `tail${round++}`;
    await stack.seedCheckpoint(prefix, position);
    return watch(stack, prefix, 'tailwater_producer_events_published_total', options.records);
  });
}

export async function snapshot(options: BenchOptions): Promise<Comparison> {
  await using stack = await BenchStack.start();
  await stack.insert(options.records);
  let round = 0;
  return await compare('snapshot', stack, options, () =>
    watch(stack, `snapshot${round++}`, 'tailwater_producer_snapshot_documents_published_total', options.records),
  );
}

async function watch(stack: BenchStack, prefix: string, counter: string, goal: number): Promise<Run> {
  await using producer = await stack.producer(prefix);
  return await watchCounter(producer, counter, goal);
}

async function compare(mode: string, stack: BenchStack, options: BenchOptions, ours: () => Promise<Run>): Promise<Comparison> {
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
  return { mode, unit: 'records/s', records: options.records, limitIs: 'prebuilt records, same Kafka client', floor: FLOOR, ...result };
}
