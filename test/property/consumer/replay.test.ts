// Promise D: whatever the batches, and however often some suffix is applied again, a target ends in the same state, also one that
// compares no versions.
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Delivery } from '#consumer/apply/delivery.js';
import { Lanes } from '#consumer/apply/lanes.js';
import type { Change } from '#consumer/changes/change.js';
import { change, MemoryTarget, TestDelivery } from '#test/unit/consumer/support/changes.js';

const never = new AbortController().signal;

const HOOKS = {
  onRequest: () => undefined,
  onRetry: () => undefined,
  onRejected: () => 'deadLettered' as const,
};

/** One life of a consumer: applies the changes in order, with batches and lanes as given, to their end. */
async function apply(target: MemoryTarget, changes: readonly Change[], shape: { lanes: number; batch: number }): Promise<void> {
  const batch = { count: shape.batch, bytes: 1_000_000, lingerMs: 0 };
  const options = { lanes: shape.lanes, batch, buffer: { count: 20, bytes: 1_000_000 }, retry: { minMs: 1, maxMs: 1 } };
  const lanes = new Lanes(target, options, HOOKS);
  const stop = new AbortController();
  const running = lanes.run(stop.signal);
  for (const each of changes) {
    await lanes.untilCapacity(never, each.namespace);
    const delivery = new TestDelivery(each);
    delivery.onSettled = (settled: Delivery) => lanes.settled(settled);
    lanes.push(delivery);
  }
  while (lanes.buffered.count > 0) await turn();
  stop.abort();
  await running;
}

test('property: any batches and any replay of any suffix end in the last state of each document', async () => {
  const history = fc.array(fc.record({ id: fc.integer({ min: 0, max: 6 }), removed: fc.boolean() }), { minLength: 1, maxLength: 60 });
  const shape = fc.record({ lanes: fc.integer({ min: 1, max: 4 }), batch: fc.integer({ min: 1, max: 8 }) });
  /** Each life begins at or before where the last one ended, and goes so far. */
  const lives = fc.array(fc.record({ back: fc.nat(60), on: fc.nat(60), shape }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(history, lives, shape, async (events, earlier, last) => {
      const changes = events.map(({ id, removed }, offset) =>
        change(id, offset, removed ? { kind: 'delete', op: 'delete', document: Buffer.alloc(0) } : {}),
      );
      const target = new MemoryTarget();
      let at = 0;
      for (const { back, on, shape: each } of earlier) {
        const from = Math.max(0, at - back);
        at = Math.min(changes.length, from + on);
        await apply(target, changes.slice(from, at), each);
      }
      await apply(target, changes.slice(at), last);
      const expected = new Map(changes.map((each) => [each.key, each.offset]));
      expect(new Map([...target.state].map(([key, each]) => [key, each.offset]))).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});
