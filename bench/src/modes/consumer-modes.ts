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

/** The fields that the documents have when they are flat. */
const SOLR_FIELDS = [
  ...['number', 'customer.id', 'lines.0.count', 'lines.1.count'].map((name) => ({ name, type: 'plong' })),
  ...['state', 'customer.name', 'customer.city', 'lines.0.sku', 'lines.1.sku'].map((name) => ({ name, type: 'string' })),
  { name: 'created', type: 'pdate' },
  { name: 'total', type: 'pdouble' },
  { name: 'express', type: 'boolean' },
  { name: 'body', type: 'text_general' },
];

export async function solrApply(options: BenchOptions): Promise<Comparison> {
  await using stack = await BenchStack.start();
  const solr = await stack.solr();
  await fillTopic(stack, options.records);
  let round = 0;
  const core = async (name: string): Promise<string> => {
    await solr.create(name);
    return `${solr.url}/${name}`;
  };
  // Cores share the schema of their configset.
  const fields = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ 'add-field': SOLR_FIELDS }) };
  const answer = await fetch(`${await core('schema')}/schema`, fields);
  if (!answer.ok) throw new Error(`Solr refuses the fields: ${await answer.text()}`);
  const result = await interleave(
    options.rounds,
    async () => consume(stack, `solr${++round}`, ['--target', 'solr', '--target-url', await core(`ours${round}`)], options.records),
    async () =>
      runBaseline('solr-prebuilt', {
        url: await core(`limit${round}`),
        documents: options.records,
        batchDocuments: BATCH_DOCUMENTS,
        concurrency: CONCURRENCY,
      }),
  );
  return { mode: 'solr-apply', unit: 'documents/s', records: options.records, limitIs: 'prebuilt JSON', floor: FLOOR, ...result };
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
