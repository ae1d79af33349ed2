import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApplyHooks } from '#consumer/apply/apply-hooks.js';
import { Lanes, type LanesOptions, laneOf } from '#consumer/apply/lanes.js';
import { change, MemoryTarget, ORDERS, overloaded, TestDelivery } from '../support/changes.js';

const OPTIONS: LanesOptions = {
  lanes: 3,
  batch: { count: 10, bytes: 10_000, lingerMs: 0 },
  buffer: { count: 40, bytes: 1_000_000 },
  retry: { minMs: 1, maxMs: 2 },
};

const HOOKS: ApplyHooks = {
  onRequest: () => undefined,
  onRetry: () => undefined,
  onRejected: (_, { reason }) => {
    throw new Error(reason);
  },
};

function start(target: MemoryTarget, options: Partial<LanesOptions> = {}, hooks: Partial<ApplyHooks> = {}) {
  const lanes = new Lanes(target, { ...OPTIONS, ...options }, { ...HOOKS, ...hooks });
  const stop = new AbortController();
  const running = lanes.run(stop.signal);
  running.catch(() => stop.abort());
  const deliveries: TestDelivery[] = [];
  const push = (delivery: TestDelivery) => {
    delivery.onSettled = (each) => lanes.settled(each);
    deliveries.push(delivery);
    lanes.push(delivery);
  };
  const settled = async () => {
    while (lanes.buffered.count > 0 && !stop.signal.aborted) await turn();
  };
  const end = async () => {
    stop.abort();
    await running;
  };
  return { lanes, push, settled, end, running, deliveries };
}

describe('Lanes', () => {
  test('property: whatever fails meanwhile, each key ends as its last change, and each change ends once', async () => {
    const keys = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(keys, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), async (ids, dice) => {
        const target = new MemoryTarget();
        target.judge = () => (dice.next().value < 3 ? { status: 'rejected', code: '429', reason: 'later', retriable: true } : undefined);
        target.gate = async () => {
          await turn();
          if (dice.next().value < 2) throw overloaded();
        };
        const { lanes, push, settled, end, deliveries } = start(target);
        for (const [sequence, id] of ids.entries()) {
          await lanes.untilCapacity(new AbortController().signal, ORDERS);
          push(new TestDelivery(change(id, sequence)));
        }
        await settled();
        await end();
        for (const id of new Set(ids)) expect(target.state.get(String(id))?.offset).toBe(ids.lastIndexOf(id));
        for (const { outcomes } of deliveries) expect(outcomes).toHaveLength(1);
        for (const key of target.state.keys()) {
          const order = target.batches
            .flat()
            .filter((each) => each.key === key)
            .map(({ offset }) => offset);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        expect(lanes.buffered).toEqual({ count: 0, bytes: 0 });
      }),
      { numRuns: 60 },
    );
  });

  test('the last change of a key in a batch supersedes the earlier ones', async () => {
    const target = new MemoryTarget();
    const { push, settled, end, deliveries } = start(target, { lanes: 1, batch: { ...OPTIONS.batch, lingerMs: 20 } });
    for (let sequence = 0; sequence < 3; sequence++) push(new TestDelivery(change('a', sequence)));
    await settled();
    await end();
    expect(deliveries.map(({ outcomes }) => outcomes)).toEqual([['superseded'], ['superseded'], ['applied']]);
    expect(target.batches.flat()).toHaveLength(1);
  });

  test('equal ids of two namespaces are two keys', async () => {
    const target = new MemoryTarget();
    const { push, settled, end, deliveries } = start(target, { lanes: 1, batch: { ...OPTIONS.batch, lingerMs: 20 } });
    push(new TestDelivery(change(1, 0)));
    push(new TestDelivery(change(2, 1, { namespace: { ...ORDERS, collection: 'other' } })));
    await settled();
    await end();
    expect(deliveries.map(({ outcomes }) => outcomes)).toEqual([['applied'], ['applied']]);
  });

  test('batches keep to their count and bytes, except a change that is larger alone', async () => {
    const target = new MemoryTarget();
    const { push, settled, end } = start(target, { lanes: 1, batch: { count: 4, bytes: 250, lingerMs: 0 } });
    for (let id = 0; id < 9; id++) push(new TestDelivery(change(id, id)));
    await settled();
    await end();
    expect(target.batches.map((batch) => batch.length)).toEqual([2, 2, 2, 2, 1]);
  });

  test('there is no room beyond the buffer, and room again when something ended', async () => {
    const target = new MemoryTarget();
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    target.gate = () => opened;
    const { lanes, push, settled, end } = start(target, { buffer: { count: 2, bytes: 1_000_000 } });
    push(new TestDelivery(change('a', 0)));
    expect(lanes.hasCapacityFor(ORDERS)).toBe(true);
    push(new TestDelivery(change('b', 1)));
    expect(lanes.hasCapacityFor(ORDERS)).toBe(false);
    const capacity = lanes.untilCapacity(new AbortController().signal, ORDERS);
    open();
    await capacity;
    expect(lanes.hasCapacityFor(ORDERS)).toBe(true);
    await settled();
    await end();
  });

  test('waiting for room ends when the signal aborts', async () => {
    const { lanes, push, end } = start(new MemoryTarget(), { buffer: { count: 0, bytes: 0 } });
    const stop = new AbortController();
    const capacity = lanes.untilCapacity(stop.signal, ORDERS);
    stop.abort();
    await capacity;
    expect(push).toBeDefined();
    await end();
  });

  test('release returns what waits, lets a request in flight end, and goes on afterwards', async () => {
    const target = new MemoryTarget();
    const { lanes, push, settled, end, deliveries } = start(target, { lanes: 1, batch: { count: 1, bytes: 1, lingerMs: 0 } });
    push(new TestDelivery(change('a', 0)));
    push(new TestDelivery(change('b', 1)));
    await Promise.resolve();
    await lanes.release(1000);
    expect(deliveries.map(({ outcomes }) => outcomes.length)).toEqual([1, 1]);
    expect(deliveries[1]?.outcomes).toEqual(['returned']);
    expect(lanes.buffered.count).toBe(0);
    push(new TestDelivery(change('c', 2)));
    await settled();
    await end();
    expect(deliveries[2]?.outcomes).toEqual(['applied']);
  });

  test('release does not wait for a target that is down', async () => {
    const target = new MemoryTarget();
    target.gate = async () => {
      throw overloaded();
    };
    let retried = () => {};
    const failing = new Promise<void>((resolve) => {
      retried = resolve;
    });
    const { lanes, push, end, deliveries } = start(target, { retry: { minMs: 60_000, maxMs: 60_000 } }, { onRetry: () => retried() });
    push(new TestDelivery(change('a', 0)));
    await failing;
    await lanes.release(60_000);
    expect(deliveries[0]?.outcomes).toEqual(['returned']);
    await end();
  });

  test('release cuts a request that does not end in time', async () => {
    const target = new MemoryTarget();
    let asked = () => {};
    const inFlight = new Promise<void>((resolve) => {
      asked = resolve;
    });
    target.gate = () => {
      asked();
      return new Promise(() => undefined);
    };
    const { lanes, push, end, deliveries } = start(target);
    push(new TestDelivery(change('a', 0)));
    await inFlight;
    await lanes.release(5);
    expect(deliveries[0]?.outcomes).toEqual(['returned']);
    await end();
  });

  test('changes of a revoked partition are not sent', async () => {
    const target = new MemoryTarget();
    const { push, settled, end, deliveries } = start(target, { batch: { ...OPTIONS.batch, lingerMs: 5 } });
    const delivery = new TestDelivery(change('a', 0));
    push(delivery);
    delivery.revoked = true;
    await settled();
    await end();
    expect(deliveries[0]?.outcomes).toEqual(['returned']);
    expect(target.batches).toEqual([]);
  });

  test('a refusal for good ends the run, after the rest of the batch was settled', async () => {
    const target = new MemoryTarget();
    target.judge = ({ key }) =>
      key === '"bad"' ? { status: 'rejected', code: 'mapping', reason: 'no field for it', retriable: false } : undefined;
    const { push, running, deliveries } = start(target, { lanes: 1, batch: { ...OPTIONS.batch, lingerMs: 5 } });
    for (const [sequence, id] of ['a', 'bad', 'b'].entries()) push(new TestDelivery(change(id, sequence)));
    await expect(running).rejects.toThrow('no field for it');
    expect(deliveries.map(({ outcomes }) => outcomes)).toEqual([['applied'], ['returned'], ['applied']]);
  });

  test('a failure that is nobody’s ends the run', async () => {
    const target = new MemoryTarget();
    target.gate = async () => {
      throw new RangeError('a defect');
    };
    const { push, running, deliveries } = start(target);
    push(new TestDelivery(change('a', 0)));
    await expect(running).rejects.toThrow('a defect');
    expect(deliveries[0]?.outcomes).toEqual(['returned']);
  });

  test('keys spread over all lanes, also those of one Kafka partition', () => {
    const counts = [0, 0, 0, 0];
    for (let id = 0; id < 4000; id++) counts[laneOf(`{"$oid":"507f1f77bcf86cd79943${id.toString(16).padStart(4, '0')}"}`, 4)]! += 1;
    for (const count of counts) expect(count).toBeGreaterThan(800);
  });
});
