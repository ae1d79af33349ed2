// The window loop. What it does beside a tail that writes in any order is in test/property/producer.
import { createMetrics } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { expect, it, vi } from 'vitest';
import { BackfillWriter } from '#producer/backfill/backfill-writer.js';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { RecordEncoder } from '#producer/encode/record-encoder.js';
import { DocumentLookup } from '#producer/enrich/document-lookup.js';
import { ProducerMetrics } from '#producer/metrics/producer-metrics.js';
import { Publisher } from '#producer/publish/publisher.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { OrderedWriter } from '#producer/writer/ordered-writer.js';
import { TailProgress } from '#producer/writer/tail-progress.js';
import { TouchedKeys } from '#producer/writer/touched-keys.js';
import { CHECKPOINTS, CommittedLog } from '#test/property/producer/support/committed-log.js';
import { raw, T } from '../support/entries.js';
import { ORDERS } from '../support/rows.js';

const START = new Position(T, 5);
const never = new AbortController().signal;

function build() {
  const log = new CommittedLog([]);
  const publisher = new Publisher(log.connect(async () => {}));
  const [progress, touched] = [new TailProgress(START), new TouchedKeys()];
  const metrics = new ProducerMetrics(createMetrics(), new NormalizeCounters());
  const writer = new OrderedWriter({
    // Asked for nothing: no row here is an update.
    lookup: new DocumentLookup(undefined as unknown as MongoClient),
    encoder: new RecordEncoder(),
    quarantine: { letters: () => Promise.reject(new Error('Nothing is refused here')) },
    topics: {
      ensure: async () => {},
      takeUnrecorded: () => [],
      layoutOf: ({ name }: TrackedNamespace) => ({ topic: `tw.${name}`, partitions: 2 }),
    },
    publisher,
    progress,
    metrics,
    source: 'rs0',
    checkpointTopic: CHECKPOINTS,
  });
  const backfill = new BackfillWriter({ writer, touched, progress, metrics, health: { persist: (read) => read() } });
  const published = async () => {
    await publisher.flush();
    return log.publications.map(({ records }) => records.map(({ key, document }) => `${key}${document === undefined ? ' gone' : ''}`));
  };
  return { backfill, touched, metrics, published };
}

it('reads again when another collection has taken the name meanwhile, and publishes nothing of the first read', async () => {
  const { backfill, touched, published } = build();
  const read = [1, 2];
  const { rows, published: count } = await backfill.readAndPublish(
    ORDERS,
    async () => {
      const id = read.shift();
      if (id === 1) touched.invalidate(ORDERS);
      return { documents: [raw({ _id: id })], absent: [`"gone ${id}"`], position: START };
    },
    'refresh',
    never,
  );
  expect([rows.absent, count]).toEqual([['"gone 2"'], 2]);
  expect(await published()).toEqual([['2', '"gone 2" gone']]);
});

it('reads no earlier than what the tail had published, or was about to, when the window was opened', async () => {
  const { backfill, touched } = build();
  const asked: string[] = [];
  const read = async (notBefore: Position) => {
    asked.push(notBefore.toString());
    return { documents: [], position: START };
  };
  await backfill.readAndPublish(ORDERS, read, 'sweep', never);
  touched.reach(new Position(T, 9));
  await backfill.readAndPublish(ORDERS, read, 'sweep', never);
  expect(asked).toEqual([`${T}:5`, `${T}:9`]);
});

it('tells how many rows went out: those that the tail touched are its own', async () => {
  const { backfill, touched, metrics, published } = build();
  const window = backfill.open(ORDERS);
  touched.touchRows({ length: 1, namespace: [ORDERS], key: ['1'] } as never);
  const rows = { documents: [raw({ _id: 1 }), raw({ _id: 2 })], position: START };
  const read = { window, rows, checkpoint: () => [] };
  expect([...(await backfill.publish([read], 'snapshot', never)).values()]).toEqual([1]);
  expect(await published()).toEqual([['2']]);
  expect(metrics.counts()).toMatchObject({ snapshotRead: 2, snapshotSuperseded: 1, snapshotPublished: 1 });
});

it('leaves no window open when a read fails, and no transaction where nothing is left of it', async () => {
  const { backfill, touched, published } = build();
  const [opened, closed] = [vi.spyOn(touched, 'open'), vi.spyOn(touched, 'close')];
  const left = (): unknown[] =>
    opened.mock.results.map(({ value }) => value).filter((window) => !closed.mock.calls.flat().includes(window));
  await expect(backfill.readAndPublish(ORDERS, () => Promise.reject(new Error('away')), 'sweep', never)).rejects.toThrow('away');
  expect(left()).toEqual([]);
  await backfill.readAndPublish(ORDERS, async () => ({ documents: [], position: START }), 'sweep', never);
  expect([opened.mock.calls.length, left(), await published()]).toEqual([2, [], []]);
});
