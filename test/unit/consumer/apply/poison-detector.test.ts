// Documents at which the target fails, told apart from a target that fails.
import { sleep, TailwaterError } from '@tailwater/runtime';
import { describe, expect, test } from 'vitest';
import { applyBatch } from '#consumer/apply/apply-batch.js';
import type { ApplyHooks } from '#consumer/apply/apply-hooks.js';
import type { Outcome } from '#consumer/apply/delivery.js';
import { change, MemoryTarget, TestDelivery } from '../support/changes.js';

const failed = (): TailwaterError => new TailwaterError('TW1390', { target: 'memory', address: 'here', reason: 'NullPointerException' });

/** Fails at every request with one of these ids in it. */
class FailingTarget extends MemoryTarget {
  poison: (id: number) => boolean;
  /** Whether it takes a write beside the change of this id. */
  isWell: (id: number) => boolean = () => true;
  requests = 0;

  constructor(poison: (id: number) => boolean) {
    super();
    this.poison = poison;
  }

  override async applyBatch(...[changes, signal]: Parameters<MemoryTarget['applyBatch']>): ReturnType<MemoryTarget['applyBatch']> {
    this.requests += 1;
    if (changes.some(({ key }) => this.poison(Number(key)))) throw failed();
    return super.applyBatch(changes, signal);
  }

  acceptsProbeWrite({ key }: { readonly key: string }): Promise<boolean> {
    return Promise.resolve(this.isWell(Number(key)));
  }
}

function apply(target: FailingTarget, ids: readonly number[], given: Partial<ApplyHooks> = {}) {
  const stop = new AbortController();
  const refused: string[] = [];
  let retries = 0;
  const hooks: ApplyHooks = {
    onRequest: () => undefined,
    onRetry: () => {
      retries += 1;
    },
    onRejected: (delivery, { code, retriable }): Outcome => {
      refused.push(`${delivery.change.key} ${code} ${retriable}`);
      return 'deadLettered';
    },
    ...given,
  };
  const deliveries = ids.map((id) => new TestDelivery(change(id, id)));
  const signals = { giveUp: stop.signal, cut: stop.signal };
  const done = applyBatch(target, deliveries, { minMs: 1, maxMs: 2, poisonAfterMs: 0 }, hooks, signals);
  const untilRetries = async (count: number) => {
    while (retries < count) await sleep(1);
  };
  return { done, stop, refused, untilRetries, deliveries, outcomes: () => deliveries.map((delivery) => delivery.outcomes.join()) };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('a target that fails', () => {
  test('at single documents: they are put aside, the rest is applied, everything once', async () => {
    const poison = [3, 200, 201];
    const target = new FailingTarget((id) => poison.includes(id));
    let next = 1000;
    const more = () => [new TestDelivery(change(next++, 1))];
    const { done, refused, outcomes } = apply(target, range(0, 500), { more });
    await done;
    expect(refused.sort()).toEqual(['200 TW1390 false', '201 TW1390 false', '3 TW1390 false']);
    expect(outcomes()).toEqual(range(0, 500).map((id) => (poison.includes(id) ? 'deadLettered' : 'applied')));
    expect(target.requests).toBeLessThan(90);
  });

  test('at hundreds of documents: all of them are found', async () => {
    const target = new FailingTarget((id) => id % 3 === 0);
    let next = 400;
    const more = () => [new TestDelivery(change(3 * next++ + 1, 1))];
    const { done, outcomes } = apply(target, range(0, 600), { more });
    await done;
    expect(outcomes()).toEqual(range(0, 600).map((id) => (id % 3 === 0 ? 'deadLettered' : 'applied')));
  });

  test('at everything: nothing is put aside, and it is not asked more than it must', async () => {
    const target = new FailingTarget(() => true);
    const { done, refused, untilRetries, outcomes } = apply(target, range(0, 500));
    await untilRetries(30);
    expect(target.requests).toBeLessThan(30 * 60);
    expect(refused).toEqual([]);
    target.poison = () => false;
    await done;
    expect(outcomes()).toEqual(Array(500).fill('applied'));
  });

  test('where no other document is accepted: the one waits, until others come and are', async () => {
    const target = new FailingTarget((id) => id === 7);
    const waiting: TestDelivery[] = [];
    const { done, refused, untilRetries } = apply(target, [7], { more: () => waiting.splice(0, 1) });
    await untilRetries(30);
    expect(refused).toEqual([]);
    const others = range(10, 20).map((id) => new TestDelivery(change(id, 1)));
    waiting.push(...others);
    await done;
    expect(refused).toEqual(['7 TW1390 false']);
    expect(others.filter(({ outcomes }) => outcomes.join() === 'applied').length).toBeGreaterThan(2);
  });

  test('at a document that changes meanwhile: the later change takes its place', async () => {
    const target = new FailingTarget((id) => id === 7 && !fixed);
    let fixed = false;
    const waiting: TestDelivery[] = [];
    const { done, refused, untilRetries, outcomes } = apply(target, [7], { more: () => waiting.splice(0) });
    await untilRetries(5);
    fixed = true;
    const later = new TestDelivery(change(7, 99));
    waiting.push(later);
    await done;
    expect(outcomes()[0]).toMatch(/superseded|applied/);
    expect(later.outcomes.join()).toMatch(/applied|^$/);
    expect(refused).toEqual([]);
  });

  test('in one shard: its documents wait until it is well, whatever other shards accept', async () => {
    let isIll = true;
    const inShard = (id: number) => id % 2 === 1 && id < 100;
    const target = new FailingTarget((id) => isIll && inShard(id));
    target.isWell = (id) => !(isIll && inShard(id));
    let next = 500;
    const more = () => [new TestDelivery(change(2 * next++, 1))];
    const { done, refused, untilRetries, outcomes } = apply(target, range(0, 40), { more });
    await untilRetries(40);
    expect(refused).toEqual([]);
    isIll = false;
    await done;
    expect(refused).toEqual([]);
    expect(outcomes()).toEqual(Array(40).fill('applied'));
  });

  test('a batch that is given back while poison is looked for is given back whole', async () => {
    const target = new FailingTarget((id) => id === 7);
    const joined = new TestDelivery(change(7, 9));
    const waiting = [joined];
    const { done, stop, untilRetries, outcomes } = apply(target, [6, 7, 8], { more: () => waiting.splice(0) });
    await untilRetries(20);
    stop.abort();
    await done;
    expect(outcomes()).toEqual(['applied', 'superseded', 'applied']);
    expect(joined.outcomes).toEqual(['returned']);
  });
});
