// A record that this process cannot read, and another may, holds up its partition and nothing else, and puts nothing aside.
import { createLogger, systemClock } from '@tailwater/runtime';
import {
  changeEventSchema,
  confluentHeader,
  encodeChangeEvent,
  type FoundSchema,
  Position,
  recordKeyOf,
  SchemaIds,
} from '@tailwater/schema';
import { BSON } from 'bson';
import { afterEach, expect, test, vi } from 'vitest';
import { ErrorPolicy, type OnError } from '#consumer/dead-letters/error-policy.js';
import { Pipeline } from '#consumer/pipeline.js';
import type { FetchedBatch, Subscription } from '#consumer/subscribe/subscription.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform } from '#consumer/transform/transform.js';
import { MemoryTarget } from './support/changes.js';

const ORDERS = { topic: 'tw.shop.orders', partition: 0 };
const PARCELS = { topic: 'tw.shop.parcels', partition: 0 };
const LATER = Buffer.concat([Buffer.from('c301', 'hex'), Buffer.alloc(8, 7)]);
const OF_A_REGISTRY = Buffer.from([0, 0, 0, 0, 7]);
const logger = createLogger({ name: 'test', level: 'silent' });

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function started(options: { onError?: OnError; lookup?: (id: number) => Promise<FoundSchema> } = {}) {
  const stop = new AbortController();
  stops.push(stop);
  const target = new MemoryTarget();
  const letters: string[] = [];
  const writer = { write: async ({ key }: { key: Buffer | string }) => void letters.push(String(key)) };
  const ended: unknown[] = [];
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
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await listener.release();
    },
    held: async () => {},
    isHeld: true,
    commit: async () => 'committed',
  };
  const pipeline = new Pipeline(
    {
      subscription,
      target,
      schemas: new SchemaIds(options.lookup),
      transform: createTransform({ destinations: new Destinations((namespace) => namespace) }),
      errorPolicy: new ErrorPolicy({ writer, clock: systemClock, logger }, options.onError ?? 'dead-letter', 'memory'),
      hooks: { onRequest: () => undefined, onRetry: () => undefined },
      clock: systemClock,
      logger,
    },
    {
      prefix: 'tw',
      commitIntervalMs: 20,
      releaseGraceMs: 100,
      apply: {
        lanes: 2,
        batch: { count: 100, bytes: 1_000_000, lingerMs: 1 },
        buffer: { count: 1_000, bytes: 1_000_000 },
        retry: { minMs: 10, maxMs: 100 },
      },
    },
  );
  pipeline.run(stop.signal).catch((error) => ended.push(error));
  const standing = { committed: undefined, metadata: null, low: 0, end: 10, tombstonesKeptMs: 1e9 };
  pipeline.assign([ORDERS, PARCELS].map((place) => ({ ...place, ...standing })));
  const accept = (batch: FetchedBatch) => pipeline.accept(batch, stop.signal, () => true);
  return { pipeline, target, letters, ended, accept, signal: stop.signal };
}

function event(id: number, header?: Buffer): Buffer {
  const rest = { op: 'insert', origin: 'tail', wallTimeMs: 0, transaction: null, updateDescription: null } as const;
  const document = Buffer.from(BSON.serialize({ _id: id }));
  return encodeChangeEvent(
    { ...rest, namespace: { database: 'shop', collection: 'orders' }, position: new Position(1, id), document },
    header,
  );
}

function batch(place: typeof ORDERS, first: number, values: readonly Buffer[], lastOffset = first + values.length - 1): FetchedBatch {
  const records = values.map((value, index) => {
    return { key: Buffer.from(recordKeyOf(first + index)), value, offset: String(first + index), timestamp: '0' };
  });
  return { ...place, records, lastOffset, highWatermark: lastOffset + 1, epochs: [] };
}

const applied = (target: MemoryTarget): string[] => [...target.state.keys()].sort();
const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 5 });

test.each([
  ['of a later release', LATER, 'TW1502'],
  ['with an id of a registry that nobody told of', OF_A_REGISTRY, 'TW1564'],
])('a record %s holds up its partition alone', async (_, value, code) => {
  const { pipeline, target, letters, ended, accept, signal } = started();
  expect(await accept(batch(ORDERS, 0, [event(0), value, event(2)]))).toBe(1);
  expect(await accept(batch(PARCELS, 0, [event(0), event(1), event(2)]))).toBe(3);
  await until(() => expect(applied(target)).toEqual(['0', '1', '2']));
  expect(pipeline.unreadable).toMatchObject([{ ...ORDERS, offset: 1, error: { code } }]);
  expect([pipeline.hasCapacity(ORDERS), pipeline.hasCapacity(PARCELS)]).toEqual([false, true]);
  const cut = new AbortController();
  let isRoom = false;
  const capacity = pipeline.untilCapacity(ORDERS, AbortSignal.any([cut.signal, signal])).then(() => {
    isRoom = true;
  });
  await accept(batch(PARCELS, 3, [event(3)]));
  await until(() => expect(applied(target)).toContain('3'));
  expect(isRoom).toBe(false);
  cut.abort();
  await capacity;
  // Somebody has removed the record.
  expect(await accept({ ...batch(ORDERS, 2, [event(2)]) })).toBe(3);
  expect(pipeline.unreadable).toEqual([]);
  expect([letters, ended]).toEqual([[], []]);
});

test('what waits is told of no more when its partition is given back', async () => {
  const { pipeline, accept } = started();
  await accept(batch(ORDERS, 0, [LATER]));
  await pipeline.release([ORDERS]);
  expect(pipeline.unreadable).toEqual([]);
  expect(pipeline.hasCapacity(ORDERS)).toBe(true);
});

test('a partition that is given back while a registry is asked does not wait', async () => {
  const { pipeline, accept } = started({ lookup: () => new Promise(() => undefined) });
  const accepted = accept(batch(ORDERS, 0, [OF_A_REGISTRY]));
  await pipeline.release([ORDERS]);
  expect(await accepted).toBe(0);
  expect(pipeline.unreadable).toEqual([]);
});

test('who wants to stop stops', async () => {
  const { accept } = started({ onError: 'stop' });
  await expect(accept(batch(ORDERS, 0, [LATER]))).rejects.toMatchObject({ code: 'TW1502' });
  await expect(accept(batch(PARCELS, 0, [OF_A_REGISTRY]))).rejects.toMatchObject({ code: 'TW1564' });
});

test('a registry that does not answer holds nothing, whoever asks it and for however many partitions; then all of it is applied', async () => {
  let answer: (found: FoundSchema) => void = () => undefined;
  let asked = 0;
  const lookup = () => {
    asked += 1;
    return new Promise<FoundSchema>((resolve) => {
      answer = resolve;
    });
  };
  const { pipeline, target, accept, letters, signal } = started({ lookup });
  const value = (id: number) => event(id, confluentHeader(7));
  const first = await Promise.all([accept(batch(ORDERS, 0, [value(0)])), accept(batch(PARCELS, 1, [value(1)]))]);
  expect(first).toEqual([0, 1]);
  expect(pipeline.unreadable.map(({ topic, error }) => [topic, error.code])).toEqual(
    [ORDERS, PARCELS].map(({ topic }) => [topic, 'TW1565']),
  );
  const waits = [ORDERS, PARCELS].map((place) => pipeline.untilCapacity(place, signal));
  answer({ avro: changeEventSchema() });
  await Promise.all(waits);
  expect(asked).toBe(1);
  expect(await Promise.all([accept(batch(ORDERS, 0, [value(0)])), accept(batch(PARCELS, 1, [value(1)]))])).toEqual([1, 2]);
  await until(() => expect(applied(target)).toEqual(['0', '1']));
  expect([pipeline.unreadable, letters]).toEqual([[], []]);
});

test.each<[string, FoundSchema]>([
  ['an id that the registry does not know', undefined],
  ['a schema of somebody else', { avro: '"string"' }],
])('%s is a dead letter', async (_, found) => {
  const { pipeline, accept, letters } = started({ lookup: async () => found });
  expect(await accept(batch(ORDERS, 0, [OF_A_REGISTRY]))).toBe(1);
  expect(letters).toHaveLength(1);
  expect(pipeline.unreadable).toEqual([]);
});
