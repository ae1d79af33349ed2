// Places that take nothing for a while, beside others that do.
import { setImmediate as turn } from 'node:timers/promises';
import { sleep, TailwaterError } from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '#consumer/apply/delivery.js';
import { Lanes, type LanesHooks, type LanesOptions } from '#consumer/apply/lanes.js';
import type { Refusal } from '#consumer/apply/place.js';
import { change, MemoryTarget, TestDelivery } from '../support/changes.js';

const OPTIONS: LanesOptions = {
  lanes: 3,
  batch: { count: 10, bytes: 100_000, lingerMs: 0 },
  buffer: { count: 60, bytes: 1_000_000 },
  retry: { minMs: 1, maxMs: 4 },
};
const never = new AbortController().signal;
const CLOSED = { status: 'rejected', code: 'closed', reason: 'the index is closed', retriable: true, scope: 'place' } as const;
const UNFIT = { status: 'rejected', code: 'mapping', reason: 'no field for it', retriable: false } as const;

const namespaces = (count: number): Namespace[] =>
  Array.from({ length: count }, (_, index) => ({ database: 'shop', collection: `c${index}` }));

function world(options: Partial<LanesOptions> = {}, given: Partial<LanesHooks> = {}) {
  const target = new MemoryTarget();
  const closed = new Set<Namespace>();
  target.judge = ({ namespace }) => (closed.has(namespace) ? CLOSED : undefined);
  const told: string[] = [];
  const letters: string[] = [];
  const hooks: LanesHooks = {
    onRequest: () => undefined,
    onRetry: () => undefined,
    onRejected: (delivery): Outcome => {
      letters.push(delivery.change.key);
      return 'deadLettered';
    },
    onWaiting: ({ collection }, { code, of }: Refusal) => told.push(`${collection} waits: ${of} ${code}`),
    onResumed: ({ collection }) => told.push(`${collection} goes on`),
    ...given,
  };
  const lanes = new Lanes(target, { ...OPTIONS, ...options }, hooks);
  const stop = new AbortController();
  const running = lanes.run(stop.signal);
  running.catch(() => stop.abort());
  const deliveries: TestDelivery[] = [];
  let most = 0;
  const push = (namespace: Namespace, id: unknown, sequence: number): TestDelivery => {
    const delivery = new TestDelivery(change(id, sequence, { namespace }));
    delivery.onSettled = (each) => lanes.settled(each);
    deliveries.push(delivery);
    lanes.push(delivery);
    most = Math.max(most, lanes.buffered.count);
    return delivery;
  };
  /** As the reader of one partition does. */
  const feed = async (namespace: Namespace, ids: readonly number[], signal = never) => {
    for (const id of ids) {
      await lanes.untilCapacity(signal, namespace);
      if (signal.aborted) return;
      push(namespace, id, id);
    }
  };
  const until = async (condition: () => boolean) => {
    while (!condition() && !stop.signal.aborted) await sleep(1);
  };
  const end = async () => {
    stop.abort();
    await lanes.release(1000);
    await running;
  };
  /** In each request, the keys of a namespace in the order in which they were applied. */
  const applied = (namespace: Namespace) =>
    deliveries.filter((each) => each.change.namespace === namespace && each.outcomes.join() === 'applied').map((each) => each.change.key);
  return { target, closed, lanes, push, feed, until, end, running, deliveries, told, letters, applied, most: () => most };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('a place that takes nothing', () => {
  test('holds up no other: a thousand changes pass, in bounded memory, and its own arrive when it is mended', async () => {
    const [bad, good] = namespaces(2) as [Namespace, Namespace];
    const { closed, feed, lanes, until, end, told, letters, applied, most } = world();
    closed.add(bad);
    const waiting = feed(bad, range(0, 300));
    await until(() => lanes.waiting.length === 1);
    await feed(good, range(1000, 2000));
    await until(() => applied(good).length === 1000);
    expect(lanes.waiting).toMatchObject([{ namespace: bad, code: 'closed', reason: 'the index is closed', of: 'place' }]);
    expect(applied(bad)).toEqual([]);
    closed.delete(bad);
    await waiting;
    await until(() => lanes.buffered.count === 0);
    expect(applied(bad)).toEqual(range(0, 300).map(String));
    expect(applied(good)).toEqual(range(1000, 2000).map(String));
    expect(letters).toEqual([]);
    expect(most()).toBeLessThanOrEqual(2 * OPTIONS.buffer.count);
    expect([told[0], told.at(-1)]).toEqual(['c0 waits: place closed', 'c0 goes on']);
    await end();
  });

  test('thirty of them, one after the other, leave room for the last', async () => {
    const all = namespaces(31);
    const good = all.pop() as Namespace;
    const buffer = { count: 256, bytes: 1_000_000 };
    const { closed, feed, lanes, until, end, applied, most } = world({ buffer });
    const stop = new AbortController();
    for (const [index, bad] of all.entries()) {
      closed.add(bad);
      void feed(bad, range(index * 1000, index * 1000 + 200), stop.signal);
      await until(() => lanes.waiting.length === index + 1);
    }
    await feed(good, range(100_000, 100_500));
    await until(() => applied(good).length === 500);
    expect(most()).toBeLessThanOrEqual(2 * buffer.count + 2 * all.length);
    stop.abort();
    await end();
  });

  test('gives back what waits when its partitions go, and takes it up again when they come back', async () => {
    const [bad] = namespaces(1) as [Namespace];
    const { closed, push, lanes, until, end, deliveries, applied } = world();
    closed.add(bad);
    for (const id of range(0, 30)) push(bad, id, id);
    await until(() => lanes.waiting.length === 1);
    await lanes.release(1000);
    expect(deliveries.map(({ outcomes }) => outcomes.join())).toEqual(Array(30).fill('returned'));
    expect(lanes.buffered).toEqual({ count: 0, bytes: 0 });
    expect(lanes.waiting).toEqual([]);
    for (const id of range(0, 30)) push(bad, id, id);
    closed.delete(bad);
    await until(() => lanes.buffered.count === 0);
    expect(applied(bad)).toEqual(range(0, 30).map(String));
    await end();
  });

  test('revoked changes are not sent when it is asked', async () => {
    const [bad] = namespaces(1) as [Namespace];
    const { closed, push, lanes, until, end, deliveries, target } = world();
    closed.add(bad);
    for (const id of range(0, 5)) push(bad, id, id);
    await until(() => lanes.waiting.length === 1);
    for (const delivery of deliveries) delivery.revoked = true;
    closed.delete(bad);
    await until(() => lanes.buffered.count === 0);
    expect(deliveries.map(({ outcomes }) => outcomes.join())).toEqual(Array(5).fill('returned'));
    expect(target.state.size).toBe(0);
    await end();
  });

  test('ends the run after as long as it may take, by name', async () => {
    const [bad, good] = namespaces(2) as [Namespace, Namespace];
    const { closed, push, running, deliveries } = world({ retry: { minMs: 1, maxMs: 2, giveUpAfterMs: 20 } });
    closed.add(bad);
    push(bad, 1, 1);
    push(good, 2, 2);
    await expect(running).rejects.toMatchObject({
      code: 'TW1350',
      message: expect.stringContaining('shop.c0: closed the index is closed'),
    });
    expect(deliveries[1]?.outcomes).toEqual(['applied']);
  });

  test('property: whatever opens and closes meanwhile, each key ends as its last change, in order, and each change ends once', async () => {
    const events = fc.array(fc.record({ place: fc.nat(3), id: fc.nat(4), toggle: fc.option(fc.nat(3), { freq: 4 }), back: fc.nat(30) }), {
      minLength: 1,
      maxLength: 150,
    });
    await fc.assert(
      fc.asyncProperty(events, async (steps) => {
        const all = namespaces(4);
        const { target, closed, push, lanes, until, end, deliveries } = world({ buffer: { count: 20, bytes: 1_000_000 } });
        const last = new Map<string, number>();
        for (const [sequence, { place, id, toggle, back }] of steps.entries()) {
          const namespace = all[place] as Namespace;
          if (toggle !== null) {
            const other = all[toggle] as Namespace;
            if (!closed.delete(other)) closed.add(other);
          }
          if (back === 0) await lanes.release(1000);
          // A reader of a place that waits would wait; this one mends it.
          if (!lanes.hasCapacityFor(namespace)) closed.clear();
          await lanes.untilCapacity(never, namespace);
          const key = `${place}-${id}`;
          last.set(JSON.stringify(key), sequence);
          push(namespace, key, sequence);
          if (back % 3 === 0) await turn();
        }
        closed.clear();
        await until(() => lanes.buffered.count === 0);
        for (const { outcomes } of deliveries) expect(outcomes).toHaveLength(1);
        // What was given back comes again in the pipeline, so only keys of which the last change was not are in their last state.
        const kept = deliveries.filter(({ outcomes }) => outcomes[0] !== 'returned');
        for (const [key, sequence] of last) {
          if (kept.some((each) => each.change.offset === sequence)) expect(target.state.get(key)?.offset).toBe(sequence);
        }
        for (const key of target.state.keys()) {
          const order = target.batches.flatMap((batch) => batch.filter((each) => each.key === key).map(({ offset }) => offset));
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        expect(lanes.buffered).toEqual({ count: 0, bytes: 0 });
        await end();
      }),
      { numRuns: 100 },
    );
  });
});

describe('a place that refuses nearly every document', () => {
  const limited = { refusalLimit: 1000, buffer: { count: 4000, bytes: 10_000_000 }, batch: { count: 100, bytes: 100_000, lingerMs: 0 } };

  test('waits before its topic is emptied into the dead letters, and goes on by itself', async () => {
    const [bad, good] = namespaces(2) as [Namespace, Namespace];
    const { target, feed, lanes, until, end, told, letters, applied } = world(limited);
    target.judge = ({ namespace }) => (namespace === bad ? UNFIT : undefined);
    const fed = feed(bad, range(0, 2000));
    await until(() => lanes.waiting.length === 1);
    await feed(good, range(5000, 6000));
    await until(() => applied(good).length === 1000);
    expect(letters.length).toBeLessThan(100);
    expect(lanes.waiting).toMatchObject([{ namespace: bad, code: 'mapping', of: 'documents' }]);
    target.judge = () => undefined;
    await fed;
    await until(() => lanes.buffered.count === 0);
    expect([...applied(bad), ...letters].sort()).toEqual(range(0, 2000).map(String).sort());
    expect([told[0], told.at(-1)]).toEqual(['c0 waits: documents mapping', 'c0 goes on']);
    await end();
  });

  test('waits as well when a module throws at everything, and goes on when it does not', async () => {
    const [place] = namespaces(1) as [Namespace];
    const { target, feed, lanes, until, end, letters, applied } = world(limited);
    target.gate = async () => {
      throw new TailwaterError('TW1335', { module: './my.js', method: 'applyBatch', reason: 'x is undefined' });
    };
    const fed = feed(place, range(0, 1000));
    await until(() => lanes.waiting.length === 1);
    expect(letters.length).toBeLessThanOrEqual(100);
    expect(lanes.waiting).toMatchObject([{ code: 'TW1335', of: 'documents' }]);
    target.gate = () => turn();
    await fed;
    await until(() => lanes.buffered.count === 0);
    expect([...applied(place), ...letters].sort()).toEqual(range(0, 1000).map(String).sort());
    await end();
  });

  test('one refused document in ten is put aside, however many there are', async () => {
    const [place] = namespaces(1) as [Namespace];
    const { target, feed, lanes, until, end, told, letters, applied } = world(limited);
    target.judge = ({ key }) => (Number(key) % 10 === 0 ? UNFIT : undefined);
    await feed(place, range(0, 15_000));
    await until(() => lanes.buffered.count === 0);
    expect(letters).toHaveLength(1500);
    expect(applied(place)).toHaveLength(13_500);
    expect(told).toEqual([]);
    await end();
  });

  test('the first hundred are odd and the rest is not: they are put aside as soon as the rest shows it', async () => {
    const [place] = namespaces(1) as [Namespace];
    const { target, feed, lanes, until, end, letters, applied } = world(limited);
    target.judge = ({ key }) => (Number(key) < 150 ? UNFIT : undefined);
    await feed(place, range(0, 1000));
    await until(() => lanes.buffered.count === 0);
    expect(letters.map(Number).sort((a, b) => a - b)).toEqual(range(0, 150));
    expect(applied(place)).toEqual(range(150, 1000).map(String));
    await end();
  });

  test('without a limit everything is put aside', async () => {
    const [place] = namespaces(1) as [Namespace];
    const { target, feed, lanes, until, end, letters } = world({ ...limited, refusalLimit: 0 });
    target.judge = () => UNFIT;
    await feed(place, range(0, 1000));
    await until(() => lanes.buffered.count === 0);
    expect(letters).toHaveLength(1000);
    await end();
  });
});
