// The attempts at one batch, one after the other: each sends what has not ended yet. When the target fails at the batch again and
// again, what it fails at is found out, and goes alone from then on.

import type { Target } from '../targets/target.js';
import type { ApplyHooks, ApplySignals } from './apply-hooks.js';
import { type Attempt, applyOnce, bothOf, type Isolation } from './apply-once.js';
import type { Delivery, Outcome } from './delivery.js';
import { Suspects, Witnesses } from './suspects.js';

/** So many attempts at which the target failed go by before the batch is taken apart: mostly it is soon well again. */
const FAILURES_BEFORE_ISOLATION = 2;
/** A batch that has grown to this takes up no more. */
const MAX_PENDING = 2_000;

export class BatchAttempts {
  /** What has not ended yet. */
  readonly pending: Set<Delivery>;
  /** Whether the last attempt brought something to its end. */
  progressed = false;
  /** So many have ended, other than by being returned. */
  ended = 0;
  readonly #target: Target;
  readonly #hooks: ApplyHooks;
  readonly #signals: ApplySignals;
  readonly #witnesses: Pick<Witnesses, 'note' | 'hasSince'>;
  readonly #suspects: Suspects;
  #failures = 0;

  constructor(target: Target, batch: readonly Delivery[], hooks: ApplyHooks, signals: ApplySignals, suspectedForMs: number | undefined) {
    this.pending = new Set(batch);
    this.#target = target;
    this.#hooks = hooks;
    this.#signals = signals;
    this.#witnesses = hooks.witnesses ?? new Witnesses();
    this.#suspects = new Suspects(target, this.#witnesses, suspectedForMs);
  }

  settle(delivery: Delivery, outcome: Outcome): void {
    this.pending.delete(delivery);
    this.#suspects.forget(delivery);
    if (outcome !== 'returned') this.ended += 1;
    delivery.settle(outcome);
  }

  /** These are the caller's again, in the order in which they came. */
  giveBack(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.pending.delete(delivery);
      this.#suspects.forget(delivery);
    }
  }

  async next(): Promise<Attempt> {
    if (this.#suspects.size > 0 && !this.progressed && this.pending.size < MAX_PENDING) this.#join(this.#hooks.more?.() ?? []);
    const size = this.pending.size;
    const attempt = await this.#withoutThoseToBlame(await this.#sendApart());
    this.progressed = attempt.left.length < size;
    return attempt;
  }

  async #withoutThoseToBlame(attempt: Attempt): Promise<Attempt> {
    const { failedWhole, doubtful, left, refused } = attempt;
    this.#failures = failedWhole || doubtful.length > 0 ? this.#failures + 1 : 0;
    const toBlame = await this.#suspects.failedAt(doubtful, this.#signals.cut);
    const blamed = new Set(toBlame.map(([delivery]) => delivery));
    return {
      ...attempt,
      left: left.filter((delivery) => !blamed.has(delivery)),
      refused: [...refused, ...toBlame.map(([delivery, rejection]) => [delivery, { ...rejection, retriable: false }] as const)],
    };
  }

  /** Suspects go alone, and behind the others, which then bear witness; the newest first, which nothing is known of. */
  async #sendApart(): Promise<Attempt> {
    if (this.#suspects.size === 0) return this.#send([...this.pending], this.#isolation());
    const others = [...this.pending].filter((delivery) => !this.#suspects.has(delivery)).reverse();
    const suspects = [...this.pending].filter((delivery) => this.#suspects.has(delivery));
    let attempt = others.length === 0 ? undefined : await this.#send(others, this.#isolation());
    const isolation = this.#isolation();
    for (const suspect of suspects) {
      const alone = await this.#send([suspect], isolation);
      attempt = attempt === undefined ? alone : bothOf(attempt, alone);
    }
    return attempt as Attempt;
  }

  #isolation(): Isolation | undefined {
    return this.#failures < FAILURES_BEFORE_ISOLATION ? undefined : { failuresInARow: 0, reason: '' };
  }

  #send(deliveries: readonly Delivery[], isolation: Isolation | undefined): Promise<Attempt> {
    const settle = (delivery: Delivery, outcome: Outcome) => this.settle(delivery, outcome);
    const [hooks, signals, witnesses] = [this.#hooks, this.#signals, this.#witnesses];
    return applyOnce(this.#target, deliveries, { hooks, signals, witnesses, settle, isolation });
  }

  /** Where nothing but suspects is left, what comes next joins them, and bears witness. A later change of a document takes the earlier one's place. */
  #join(more: readonly Delivery[]): void {
    const waiting = [...this.pending];
    for (const delivery of more) {
      const { key, namespace } = delivery.change;
      const earlier = waiting.find(({ change }) => change.key === key && change.namespace === namespace);
      if (earlier !== undefined) this.settle(earlier, 'superseded');
      this.pending.add(delivery);
    }
  }
}
