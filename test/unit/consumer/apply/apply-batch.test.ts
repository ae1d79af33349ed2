// Refusals of whole requests, and targets that take nothing for too long.
import { TailwaterError } from '@tailwater/runtime';
import { describe, expect, test } from 'vitest';
import { applyBatch } from '#consumer/apply/apply-batch.js';
import type { ApplyHooks } from '#consumer/apply/apply-hooks.js';
import type { Outcome } from '#consumer/apply/delivery.js';
import { change, MemoryTarget, ORDERS, overloaded, TestDelivery } from '../support/changes.js';

const unexpected = (): TailwaterError => new TailwaterError('TW1313', { target: 'memory', address: 'here', reason: 'malformed' });
const signals = () => ({ giveUp: new AbortController().signal, cut: new AbortController().signal });

/** Refuses a whole request for each of these ids that is in it. */
class PickyTarget extends MemoryTarget {
  readonly #poison: ReadonlySet<number>;
  requests = 0;

  readonly #fail: () => Error;

  constructor(poison: readonly number[], fail: () => Error = unexpected) {
    super();
    this.#fail = fail;
    this.#poison = new Set(poison);
  }

  override async applyBatch(...[changes, signal]: Parameters<MemoryTarget['applyBatch']>): ReturnType<MemoryTarget['applyBatch']> {
    this.requests += 1;
    if (changes.some(({ key }) => this.#poison.has(Number(key)))) throw this.#fail();
    return super.applyBatch(changes, signal);
  }
}

async function apply(target: MemoryTarget, count: number, given: Partial<ApplyHooks> = {}, giveUpAfterMs?: number) {
  const refused: string[] = [];
  const hooks: ApplyHooks = {
    onRequest: () => undefined,
    onRetry: () => undefined,
    onRejected: (delivery, { code }): Outcome => {
      refused.push(`${delivery.change.key} ${code}`);
      return 'deadLettered';
    },
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

  test.each(['TW1335', 'TW1336'] as const)('so does %s of a module, and its dead letter says where it failed', async (code) => {
    const params = { module: './my.js', method: 'applyBatch', reason: 'x is undefined', problem: 'no list of results' };
    const target = new PickyTarget([3], () => new TailwaterError(code, params));
    const reasons: string[] = [];
    const { done, outcomes } = await apply(target, 50, {
      onRejected: (_, rejection): Outcome => {
        reasons.push(`${rejection.code} ${rejection.reason}`);
        return 'deadLettered';
      },
    });
    await done;
    expect(reasons).toEqual([expect.stringMatching(`${code} applyBatch of the target module ./my.js`)]);
    expect(outcomes()).toEqual(Array.from({ length: 50 }, (_, id) => (id === 3 ? 'deadLettered' : 'applied')));
  });

  test.each(['TW1302', 'TW1303', 'TW1312'] as const)('%s is no document’s fault, and is waited for', async (code) => {
    const target = new MemoryTarget();
    let refusals = 0;
    target.gate = async () => {
      refusals += 1;
      if (refusals < 5) throw new TailwaterError(code, { target: 'memory', address: 'here', operation: 'write', reason: 'expired' });
    };
    const { done, refused, outcomes } = await apply(target, 2);
    await done;
    expect(refused).toEqual([]);
    expect(outcomes()).toEqual(['applied', 'applied']);
  });

  test('what a place refuses goes back in its order, once, and the rest of the batch ends', async () => {
    const target = new MemoryTarget();
    const closed = { status: 'rejected', code: 'closed', reason: 'the index is closed', retriable: true, scope: 'place' } as const;
    target.judge = ({ key }) => (Number(key) % 3 === 0 ? closed : undefined);
    const back: string[] = [];
    const onPlaceRefused: ApplyHooks['onPlaceRefused'] = (namespace, deliveries, { code, of }) => {
      expect([namespace, code, of]).toEqual([ORDERS, 'closed', 'place']);
      back.push(...deliveries.map(({ change: { key } }) => key));
    };
    const { done, outcomes } = await apply(target, 7, { onPlaceRefused });
    expect(await done).toBe(4);
    expect(back).toEqual(['0', '3', '6']);
    expect(outcomes()).toEqual(['', 'applied', 'applied', '', 'applied', 'applied', '']);
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
