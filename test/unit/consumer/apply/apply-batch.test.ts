// Refusals of whole requests, and targets that take nothing for too long.
import { TailwaterError } from '@tailwater/runtime';
import { describe, expect, test } from 'vitest';
import { type ApplyHooks, applyBatch } from '../../../../packages/consumer/src/apply/apply-batch.js';
import type { Outcome } from '../../../../packages/consumer/src/apply/delivery.js';
import { RefusalStreak } from '../../../../packages/consumer/src/apply/refusal-streak.js';
import { change, MemoryTarget, overloaded, TestDelivery } from '../support/changes.js';

const unexpected = (): TailwaterError => new TailwaterError('TW1313', { target: 'memory', address: 'here', reason: 'malformed' });
const signals = () => ({ giveUp: new AbortController().signal, cut: new AbortController().signal });

/** Refuses a whole request for each of these ids that is in it. */
class PickyTarget extends MemoryTarget {
  readonly #poison: ReadonlySet<number>;
  requests = 0;

  constructor(poison: readonly number[]) {
    super();
    this.#poison = new Set(poison);
  }

  override async applyBatch(...[changes, signal]: Parameters<MemoryTarget['applyBatch']>): ReturnType<MemoryTarget['applyBatch']> {
    this.requests += 1;
    if (changes.some(({ key }) => this.#poison.has(Number(key)))) throw unexpected();
    return super.applyBatch(changes, signal);
  }
}

async function apply(target: MemoryTarget, count: number, given: Partial<ApplyHooks> = {}, giveUpAfterMs?: number) {
  const streak = new RefusalStreak();
  const refused: string[] = [];
  const hooks: ApplyHooks = {
    onRequest: () => streak.answered(),
    onRetry: () => undefined,
    onRejected: (delivery, { code }): Outcome => {
      refused.push(`${delivery.change.key} ${code}`);
      return 'deadLettered';
    },
    onRefusedWhole: (error) => streak.refused(error),
    ...given,
  };
  const deliveries = Array.from({ length: count }, (_, id) => new TestDelivery(change(id, id)));
  const done = applyBatch(target, deliveries, { minMs: 1, maxMs: 2, giveUpAfterMs }, hooks, signals());
  const outcomes = () => deliveries.map((delivery) => delivery.outcomes.join());
  return { done, refused, outcomes };
}

describe('applyBatch', () => {
  test('documents for which a whole request is refused stand alone in the end; the rest is applied, everything once', async () => {
    const target = new PickyTarget([3, 200, 201]);
    const { done, refused, outcomes } = await apply(target, 500);
    await done;
    expect(refused).toEqual(['3 TW1313', '200 TW1313', '201 TW1313']);
    expect(outcomes()).toEqual(Array.from({ length: 500 }, (_, id) => ([3, 200, 201].includes(id) ? 'deadLettered' : 'applied')));
    expect(target.requests).toBeLessThan(60);
  });

  test('a target that refuses everything is not believed for ever', async () => {
    const target = new PickyTarget(Array.from({ length: 500 }, (_, id) => id));
    const { done, outcomes } = await apply(target, 500);
    await expect(done).rejects.toMatchObject({ code: 'TW1313' });
    expect(outcomes()).toEqual(Array(500).fill('returned'));
  });

  test('refused credentials are no document’s fault', async () => {
    const target = new MemoryTarget();
    target.gate = async () => {
      throw new TailwaterError('TW1302', { target: 'memory', address: 'here' });
    };
    const { done, refused } = await apply(target, 2);
    await expect(done).rejects.toMatchObject({ code: 'TW1302' });
    expect(refused).toEqual([]);
  });

  test('when one refusal ends the process, those that were put aside meanwhile count as put aside', async () => {
    const target = new MemoryTarget();
    target.judge = ({ key }) => (key === '0' ? undefined : { status: 'rejected', code: 'x', reason: 'y', retriable: false });
    const onRejected = async ({ change: { key } }: TestDelivery): Promise<Outcome> => {
      if (key === '2') throw new Error('stop');
      return 'deadLettered';
    };
    const { done, outcomes } = await apply(target, 4, { onRejected: onRejected as ApplyHooks['onRejected'] });
    await expect(done).rejects.toThrow('stop');
    expect(outcomes()).toEqual(['applied', 'deadLettered', 'returned', 'deadLettered']);
  });

  test('gives up when nothing gets through for as long as it was told, and not while something does', async () => {
    const target = new MemoryTarget();
    target.gate = async () => {
      throw overloaded();
    };
    const { done, outcomes } = await apply(target, 3, {}, 30);
    await expect(done).rejects.toMatchObject({ code: 'TW1350', message: expect.stringContaining('TW1311') });
    expect(outcomes()).toEqual(['returned', 'returned', 'returned']);
  });
});
