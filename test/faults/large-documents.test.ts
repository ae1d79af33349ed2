// Memory follows bytes: documents of 15 MB behind thousands of small ones, copied, inserted and looked up by the real producer.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { compareByKey, type PipelineProcess, Random, readRawDocuments, waitFor } from '@tailwater/devstack';
import type { Collection } from 'mongodb';
import { expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { foldTopic } from '../integration/producer/support/folded-topic.js';

const MEGABYTE = 1024 * 1024;
const MAX_RSS_MB = 400;
/** What the producer is told beside the usual, such as `--source change-stream` or `--memory-budget 32`. */
const ARGS = (process.env['TAILWATER_TEST_PRODUCER_ARGS'] ?? '').split(' ').filter((arg) => arg !== '');
const SMALL = 3000;
/** Of about a megabyte each: 2,000 lookups that were sized by small documents would bring them all at once. */
const MIDDLE = 60;
const LARGE = 6;
const LARGE_BYTES = 15 * MEGABYTE;

interface Item {
  readonly _id: string;
  readonly n: number;
  readonly body: Uint8Array;
}

interface ProducerStatus {
  readonly position: string;
  readonly counts: { readonly eventsRead: number; readonly eventsPublished: number; readonly eventsSuperseded: number };
  readonly snapshot: { readonly totals: { readonly state: string } };
}

const random = new Random(5);
const noise = random.bytes(LARGE_BYTES);

/** The most that the process has ever held, in megabytes. */
async function peakMegabytes(producer: PipelineProcess): Promise<number> {
  const status = await readFile(`/proc/${producer.pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}

async function insertAll(items: Collection<Item>, name: string): Promise<void> {
  const small = Array.from({ length: SMALL }, (_, n) => ({ _id: `${name}-small-${n}`, n, body: noise.subarray(n, n + 200) }));
  await items.insertMany(small);
  for (let n = 0; n < MIDDLE; n += 10) {
    await items.insertMany(
      Array.from({ length: 10 }, (_, k) => ({ _id: `${name}-middle-${n + k}`, n: n + k, body: noise.subarray(n + k, n + k + MEGABYTE) })),
    );
  }
  for (let n = 0; n < LARGE; n++) await items.insertOne({ _id: `${name}-large-${n}`, n, body: noise.subarray(0, LARGE_BYTES - n) });
}

it('the producer holds no more than 400 MB, whatever the documents are, and loses none', async () => {
  await using world = await PipelineWorld.start({ source: { oplogSizeMb: 2000 } });
  const items = (await world.source.client()).db('shop').collection<Item>('items');
  await insertAll(items, 'copied');
  const producer = await world.producer('--partitions', '2', ...ARGS);
  const status = () => producer.status<ProducerStatus>();
  const peaks: Record<string, number> = { atStart: await peakMegabytes(producer) };
  const wait = { timeoutMs: 200_000, intervalMs: 500 };
  await waitFor(status, { until: ({ snapshot }) => snapshot.totals.state === 'done', describe: 'the copy', ...wait });
  peaks['copied'] = await peakMegabytes(producer);

  // A producer that stood still finds a backlog: small ones first, then the large ones.
  const write = async (name: string, events: number, work: () => Promise<unknown>): Promise<void> => {
    const before = (await status()).counts.eventsPublished;
    await producer.pause();
    await work();
    await producer.resume();
    await waitFor(status, { until: ({ counts }) => counts.eventsPublished - before >= events, describe: name, ...wait });
    peaks[name] = await peakMegabytes(producer);
  };
  const all = SMALL + MIDDLE + LARGE;
  await write('inserts', all, () => insertAll(items, 'inserted'));
  await write('updates', 2 * all, async () => {
    for (const size of ['small', 'middle', 'large']) await items.updateMany({ _id: { $regex: `-${size}-` } }, { $inc: { n: 1 } });
  });
  console.log(JSON.stringify(peaks));
  const folded = await foldTopic(world.kafka.brokers, `${world.prefix}.shop.items`);
  const source = await readRawDocuments(await world.source.client(), 'shop', 'items');
  const hashed = (documents: ReadonlyMap<string, Buffer>) =>
    new Map([...documents].map(([key, document]) => [key, createHash('sha1').update(document).digest('hex')]));
  const differences = compareByKey(hashed(source), hashed(folded.documents), (left, right) => left === right);
  expect(differences).toEqual({ compared: 2 * all, missing: [], extra: [], different: [] });
  expect(Math.max(...Object.values(peaks))).toBeLessThan(MAX_RSS_MB);
}, 300_000);
