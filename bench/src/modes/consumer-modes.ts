// The consumer over a topic that holds everything, beside prebuilt requests at the same batch size and concurrency.
import { runBaseline } from '../measure/baseline.js';
import { type Comparison, interleave, type Run } from '../measure/median.js';
import { watchCounter } from '../measure/watch-counter.js';
import { BenchStack } from './bench-stack.js';
import type { BenchOptions } from './producer-modes.js';

const PREFIX = 'bench';
const BATCH_DOCUMENTS = 1000;
const CONCURRENCY = 4;
const FLOOR = 0.75;

export async function elasticsearchApply(options: BenchOptions): Promise<Comparison> {
  await using stack = await BenchStack.start();
  const { url } = await stack.elasticsearch();
  await fillTopic(stack, options.records);
  let round = 0;
  const result = await interleave(
    options.rounds,
    () =>
      consume(
        stack,
        `es${round++}`,
        ['--target', 'es', '--target-url', url, '--rename', `bench.orders=ours${round}.orders`],
        options.records,
      ),
    () =>
      runBaseline('elasticsearch-prebuilt', {
        url,
        index: `limit${round}.orders`,
        documents: options.records,
        batchDocuments: BATCH_DOCUMENTS,
        concurrency: CONCURRENCY,
      }),
  );
  return { mode: 'es-apply', unit: 'documents/s', records: options.records, limitIs: 'prebuilt NDJSON', floor: FLOOR, ...result };
}

export async function mongoApply(options: BenchOptions): Promise<Comparison> {
  await using stack = await BenchStack.start();
  const { uri } = await stack.mongoTarget();
  await fillTopic(stack, options.records);
  let round = 0;
  const result = await interleave(
    options.rounds,
    () =>
      consume(
        stack,
        `mongo${round++}`,
        ['--target', 'mongo', '--target-url', uri, '--rename', `bench.orders=ours${round}.orders`],
        options.records,
      ),
    () =>
      runBaseline('mongo-prebuilt', {
        uri,
        collection: `limit${round}`,
        documents: options.records,
        batchDocuments: BATCH_DOCUMENTS,
        concurrency: CONCURRENCY,
      }),
  );
  return {
    mode: 'mongo-apply',
    unit: 'documents/s',
    records: options.records,
    limitIs: 'prebuilt bulkWrite operations',
    floor: FLOOR,
    ...result,
  };
}

async function fillTopic(stack: BenchStack, documents: number): Promise<void> {
  await stack.insert(documents);
  await using producer = await stack.producer(PREFIX);
  await watchCounter(producer, 'tailwater_producer_snapshot_documents_published_total', documents);
}

async function consume(stack: BenchStack, name: string, args: readonly string[], documents: number): Promise<Run> {
  const shape = ['--batch-size', String(BATCH_DOCUMENTS), '--in-flight', String(CONCURRENCY), '--name', name];
  await using consumer = await stack.consumer(PREFIX, [...args, ...shape]);
  return await watchCounter(consumer, 'tailwater_consumer_changes_applied_total', documents);
}
