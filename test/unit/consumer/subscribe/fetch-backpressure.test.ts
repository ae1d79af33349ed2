// What is fetched is applied: a slow target costs lag, and not the same bytes again and again.
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger, systemClock } from '@tailwater/runtime';
import { encodeChangeEvent, formatNamespace, type Namespace, Position, recordKeyOf, SchemaIds, topicName } from '@tailwater/schema';
import { BSON } from 'bson';
import { expect, test, vi } from 'vitest';
import { Pipeline } from '#consumer/pipeline.js';
import { DeniedTopics } from '#consumer/subscribe/denied-topics.js';
import type { ReadingPoint } from '#consumer/subscribe/epoch-history.js';
import { Fetcher } from '#consumer/subscribe/fetcher.js';
import type { Subscription } from '#consumer/subscribe/subscription.js';
import { APPLIED, TARGET_API_VERSION, type Target } from '#consumer/targets/target.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform } from '#consumer/transform/transform.js';
import { MemoryBroker } from './support/memory-broker.js';

const PREFIX = 'tw';
const PARTITIONS = 16;
const PER_BATCH = 12;
const RECORDS = 16 * PARTITIONS * PER_BATCH;
const TEXT = 'x'.repeat(1000);
/** Longer than what was fetched waits for room before it is asked whether it may wait on. */
const REQUEST_MS = 1_200;
const logger = createLogger({ name: 'test', level: 'silent' });

/** The records are divided among the partitions of the namespaces. */
function filled(namespaces: readonly Namespace[]): MemoryBroker {
  const broker = new MemoryBroker();
  const perPartition = Math.ceil(RECORDS / (namespaces.length * PARTITIONS));
  let sequence = 0;
  for (const namespace of namespaces) {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      for (let first = 0; first < perPartition; first += PER_BATCH) {
        const batch = Array.from({ length: Math.min(PER_BATCH, perPartition - first) }, (_, index) => {
          sequence += 1;
          const document = Buffer.from(BSON.serialize({ _id: sequence, text: TEXT }));
          const rest = { op: 'insert', origin: 'tail', wallTimeMs: 0, transaction: null, updateDescription: null } as const;
          const value = encodeChangeEvent({ ...rest, namespace, position: new Position(1, sequence), document });
          return { key: Buffer.from(recordKeyOf(sequence)), value, offset: String(first + index), timestamp: '0' };
        });
        const bytes = batch.reduce((sum, { value }) => sum + value.length, 0);
        broker.append(topicName(PREFIX, namespace), partition, { first, records: batch, bytes });
      }
    }
  }
  return broker;
}

/** Applies everything that the broker holds of these namespaces, from its beginning. */
async function applyAll(broker: MemoryBroker, namespaces: readonly Namespace[], target: Target): Promise<Pipeline> {
  const stop = new AbortController();
  const places = namespaces.flatMap((namespace) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: topicName(PREFIX, namespace), partition })),
  );
  const subscription: Subscription = {
    group: {
      isMember: true,
      sinceMs: 0,
      rebalances: 1,
      lateAnswers: 0,
      elsewhere: { partitions: 0, lag: 0 },
      nobodys: undefined,
      leaderless: [],
      denied: [],
      late: undefined,
    },
    async run(signal, listener) {
      const catalog = {
        leaderOf: () => 1,
        leaderEpochOf: () => undefined,
        onRefreshed: () => undefined,
        refresh: async () => undefined,
      } as never;
      const fetcher = new Fetcher(
        { connections: broker.connections, catalog, listener, denied: new DeniedTopics('k', systemClock, logger), logger },
        { fetchBytes: 256 * 1024 },
      );
      const running = fetcher.run(signal);
      const standing = { committed: undefined, metadata: null, low: 0, end: RECORDS, tombstonesKeptMs: 1e9 };
      const points = listener.assign(places.map((place) => ({ ...place, ...standing })));
      fetcher.add(places.map((place, index) => ({ ...place, ...(points[index] as ReadingPoint) })));
      await running;
      await listener.release();
    },
    held: async () => {},
    isHeld: true,
    commit: async () => 'committed',
  };
  const destinations = new Destinations(
    (namespace) => namespace,
    (namespace) => target.nameOf(namespace),
  );
  const pipeline = new Pipeline(
    {
      subscription,
      target,
      schemas: new SchemaIds(),
      transform: createTransform({ destinations }),
      errorPolicy: { refused: async () => 'deadLettered', undecodable: async () => 'deadLettered', waitsAt: () => undefined },
      hooks: { onRequest: () => undefined, onRetry: () => undefined },
      clock: systemClock,
      logger,
    },
    {
      prefix: PREFIX,
      commitIntervalMs: 100,
      releaseGraceMs: 100,
      apply: {
        lanes: 4,
        batch: { count: 200, bytes: 4 * 1024 * 1024, lingerMs: 1 },
        buffer: { count: 1_000, bytes: 1024 * 1024 },
        retry: { minMs: 10, maxMs: 100 },
      },
    },
  );
  const running = pipeline.run(stop.signal);
  await vi.waitFor(() => expect(pipeline.tally.applied).toBe(RECORDS), { timeout: 25_000, interval: 50 });
  stop.abort();
  await running;
  return pipeline;
}

const slow = (ms: number): Target => ({
  apiVersion: TARGET_API_VERSION,
  kind: 'slow',
  nameOf: formatNamespace,
  connect: async () => undefined,
  applyBatch: async (changes) => {
    await pause(ms);
    return changes.map(() => APPLIED);
  },
  close: async () => undefined,
});

test('a slow target has what it cannot take yet fetched once', async () => {
  const namespaces = [{ database: 'shop', collection: 'orders' }];
  const broker = filled(namespaces);
  const { tally } = await applyAll(broker, namespaces, slow(REQUEST_MS));
  expect(tally.read).toBe(RECORDS);
  // Half as much again, and more, when what finds no room is thrown away.
  expect(broker.fetchedBytes).toBeLessThanOrEqual(1.1 * broker.storedBytes);
});
