import { Position } from '@tailwater/schema';
import { expect, it } from 'vitest';
import type { WindowRead } from '#producer/backfill/backfill-writer.js';
import { Snapshotter } from '#producer/backfill/snapshot/snapshotter.js';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { CheckpointReader } from '#producer/checkpoint/checkpoint-record.js';
import { TouchedKeys, type Window } from '#producer/writer/touched-keys.js';
import { keptLog } from '#test/integration/producer/support/kept-log.js';

const orders: TrackedNamespace = { name: 'shop.orders', database: 'shop', collection: 'orders', included: true };
const nothing = new Proxy({}, { get: () => () => undefined });

it('a copy that is given up while it waits for memory says nothing more of its progress', async () => {
  const noted: string[] = [];
  const waiting: (() => void)[] = [];
  let freed = 0;
  const note = (messages: readonly { readonly key: Buffer; readonly value: Buffer | null }[]): void => {
    for (const { value } of messages) noted.push(JSON.parse(String(value)).state);
  };
  const touched = new TouchedKeys();
  const snapshotter = new Snapshotter(
    {
      client: { db: () => ({ collection: () => ({ estimatedDocumentCount: async () => 1000 }) }) },
      reader: { expectedBytes: () => 1, read: async () => ({ documents: [], lastId: undefined, position: new Position(2, 1) }) },
      backfill: {
        open: (namespace: TrackedNamespace) => touched.open(namespace),
        close: (window: Window) => touched.close(window),
        invalidate: (namespace: TrackedNamespace) => touched.invalidate(namespace),
        untilNear: async () => {},
        read: (_: Window, read: (notBefore: Position) => unknown) => read(new Position(1, 1)),
        publish: async ([read]: [WindowRead]) => {
          if (!read.window.isVoid) note(read.checkpoint());
          return new Map(read.window.isVoid ? [] : [[read, 0]]);
        },
      },
      report: nothing,
      rate: { untilAllowed: async () => {}, took: () => {} },
      budget: {
        take: () =>
          new Promise((resolve) => {
            waiting.push(() => resolve({ resize: () => {}, release: () => (freed += 1) }));
          }),
      },
      ensureTopics: async () => {},
      pauses: { untilResumed: async () => {} },
      logger: keptLog().logger,
    } as never,
    { source: 'rs0', parallel: 1, chunkDocuments: 10, readPreference: 'primary' },
    new CheckpointReader('rs0').result(),
  );
  const stop = new AbortController();
  const running = snapshotter.run(stop.signal);
  snapshotter.request(orders);
  await expect.poll(() => waiting.length).toBe(1);
  note([snapshotter.restart(orders, true)]);
  waiting.shift()?.();
  // The new copy waits for memory now, and what was noted is that it is to begin.
  await expect.poll(() => waiting.length).toBe(1);
  expect([noted, freed]).toEqual([['running'], 1]);
  waiting.shift()?.();
  await expect.poll(() => noted).toEqual(['running', 'done']);
  stop.abort();
  await running;
});
