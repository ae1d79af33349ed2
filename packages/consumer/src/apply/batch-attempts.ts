// The attempts at one batch, one after the other: each sends what has not ended yet. When the target fails at the batch again and
// again, what it fails at is found out, and goes alone from then on.

import type { Target } from '../targets/target.js';
import type { ApplyHooks, ApplySignals } from './apply-hooks.js';
import { type Attempt, applyOnce, bothOf, type Isolation } from './apply-once.js';
import type { Delivery, Outcome } from './delivery.js';
import { AcceptedWrites, PoisonDetector } from './poison-detector.js';

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
  readonly #acceptedWrites: Pick<AcceptedWrites, 'record' | 'hasSince'>;
  readonly #poisonDetector: PoisonDetector;
  #failures = 0;

  constructor(target: Target, batch: readonly Delivery[], hooks: ApplyHooks, signals: ApplySignals, poisonAfterMs: number | undefined) {
    this.pending = new Set(batch);
    this.#target = target;
    this.#hooks = hooks;
    this.#signals = signals;
    this.#acceptedWrites = hooks.acceptedWrites ?? new AcceptedWrites();
    this.#poisonDetector = new PoisonDetector(target, this.#acceptedWrites, poisonAfterMs);
  }

  settle(delivery: Delivery, outcome: Outcome): void {
    this.pending.delete(delivery);
    this.#poisonDetector.forget(delivery);
    if (outcome !== 'returned') this.ended += 1;
    delivery.settle(outcome);
  }

  /** These are the caller's again, in the order in which they came. */
  giveBack(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.pending.delete(delivery);
      this.#poisonDetector.forget(delivery);
    }
  }

  async next(): Promise<Attempt> {
    if (this.#poisonDetector.size > 0 && !this.progressed && this.pending.size < MAX_PENDING) this.#join(this.#hooks.more?.() ?? []);
    const size = this.pending.size;
    const attempt = await this.#withoutThoseToBlame(await this.#sendApart());
    this.progressed = attempt.left.length < size;
    return attempt;
  }

  async #withoutThoseToBlame(attempt: Attempt): Promise<Attempt> {
    const { failedWhole, doubtful, left, refused } = attempt;
    this.#failures = failedWhole || doubtful.length > 0 ? this.#failures + 1 : 0;
    const toBlame = await this.#poisonDetector.failedAlone(doubtful, this.#signals.cut);
    const blamed = new Set(toBlame.map(([delivery]) => delivery));
    return {
      ...attempt,
      left: left.filter((delivery) => !blamed.has(delivery)),
      refused: [...refused, ...toBlame.map(([delivery, rejection]) => [delivery, { ...rejection, retriable: false }] as const)],
    };
  }

  /** Candidates go alone, behind the others, which then show whether the target accepts writes; the newest first, about which least is known. */
  async #sendApart(): Promise<Attempt> {
    if (this.#poisonDetector.size === 0) return this.#send([...this.pending], this.#isolation());
    const others = [...this.pending].filter((delivery) => !this.#poisonDetector.has(delivery)).reverse();
    const candidates = [...this.pending].filter((delivery) => this.#poisonDetector.has(delivery));
    let attempt = others.length === 0 ? undefined : await this.#send(others, this.#isolation());
    const isolation = this.#isolation();
    for (const candidate of candidates) {
      const alone = await this.#send([candidate], isolation);
      attempt = attempt === undefined ? alone : bothOf(attempt, alone);
    }
    return attempt as Attempt;
  }

  #isolation(): Isolation | undefined {
    return this.#failures < FAILURES_BEFORE_ISOLATION ? undefined : { failuresInARow: 0, reason: '' };
  }

  #send(deliveries: readonly Delivery[], isolation: Isolation | undefined): Promise<Attempt> {
    const settle = (delivery: Delivery, outcome: Outcome) => this.settle(delivery, outcome);
    const [hooks, signals, acceptedWrites] = [this.#hooks, this.#signals, this.#acceptedWrites];
    return applyOnce(this.#target, deliveries, { hooks, signals, acceptedWrites, settle, isolation });
  }

  /** Where only candidates are left, what comes next joins them. A later change of a document takes the earlier one's place. */
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
