// Finds poison messages: changes at which the target fails (status 500) without saying that it refuses them. Either the target is ill, and
// they are tried again for as long as it takes, or a change makes it fail, and would block its partition for ever. A change counts as
// poisonous only on evidence: it failed alone, again and again; before and after each time its destination accepted a probe write, and the
// target accepted other documents of its namespace in between. An ill target alone never sends a change to the dead letters.
import type { Namespace } from '@tailwater/schema';
import type { Rejection, Target } from '../targets/target.js';
import type { Delivery } from './delivery.js';

/** How many failures, after the first one, with all of the evidence. */
const FAILURES = 3;
/** The least time after the first failure, in milliseconds. */
const POISON_AFTER_MS = 5_000;
/** The most changes to watch at once: each of them is a request of its own. */
const MAX_CANDIDATES = 100;

export type Doubtful = readonly (readonly [Delivery, Rejection])[];

/** When an upsert of a namespace was last accepted, by any lane. */
export class AcceptedWrites {
  readonly #acceptedAtMs = new Map<Namespace, number>();

  record(batch: readonly Delivery[], isAccepted: (index: number) => boolean): void {
    let last: Namespace | undefined;
    for (const [index, { change }] of batch.entries()) {
      if (change.namespace === last || change.kind !== 'upsert' || !isAccepted(index)) continue;
      last = change.namespace;
      this.#acceptedAtMs.set(last, performance.now());
    }
  }

  hasSince(namespace: Namespace, sinceMs: number): boolean {
    return (this.#acceptedAtMs.get(namespace) ?? Number.NEGATIVE_INFINITY) > sinceMs;
  }
}

interface PoisonCandidate {
  readonly sinceMs: number;
  failures: number;
  lastAtMs: number;
  /** The destination accepted a probe write after the last failure. */
  wasHealthy: boolean;
}

/** Watches the changes of one batch. */
export class PoisonDetector {
  readonly #target: Pick<Target, 'acceptsProbeWrite'>;
  readonly #acceptedWrites: Pick<AcceptedWrites, 'hasSince'>;
  readonly #poisonAfterMs: number;
  readonly #candidates = new Map<Delivery, PoisonCandidate>();

  constructor(
    target: Pick<Target, 'acceptsProbeWrite'>,
    acceptedWrites: Pick<AcceptedWrites, 'hasSince'>,
    poisonAfterMs = POISON_AFTER_MS,
  ) {
    this.#target = target;
    this.#acceptedWrites = acceptedWrites;
    this.#poisonAfterMs = poisonAfterMs;
  }

  get size(): number {
    return this.#candidates.size;
  }

  /** How many more changes it can watch. */
  get remaining(): number {
    return MAX_CANDIDATES - this.#candidates.size;
  }

  has(delivery: Delivery): boolean {
    return this.#candidates.has(delivery);
  }

  forget(delivery: Delivery): void {
    this.#candidates.delete(delivery);
  }

  /** Records that the target failed at each of these alone; returns those that are poisonous. */
  async failedAlone(doubtful: Doubtful, signal: AbortSignal): Promise<Doubtful> {
    const poisonous: (readonly [Delivery, Rejection])[] = [];
    for (const each of doubtful) {
      const [delivery] = each;
      const candidate = this.#candidates.get(delivery);
      if (candidate === undefined) {
        const now = performance.now();
        if (this.remaining <= 0) continue;
        const wasHealthy = await this.#isPlaceHealthy(delivery, signal);
        this.#candidates.set(delivery, { sinceMs: now, failures: 0, lastAtMs: now, wasHealthy });
      } else if (await this.#isConfirmed(delivery, candidate, signal)) poisonous.push(each);
    }
    return poisonous;
  }

  async #isConfirmed(delivery: Delivery, candidate: PoisonCandidate, signal: AbortSignal): Promise<boolean> {
    const othersAccepted = this.#acceptedWrites.hasSince(delivery.change.namespace, candidate.lastAtMs);
    if (!othersAccepted && candidate.wasHealthy) return false;
    const { wasHealthy } = candidate;
    candidate.wasHealthy = await this.#isPlaceHealthy(delivery, signal);
    if (!othersAccepted || !wasHealthy || !candidate.wasHealthy) return false;
    candidate.failures += 1;
    candidate.lastAtMs = performance.now();
    return candidate.failures >= FAILURES && performance.now() - candidate.sinceMs >= this.#poisonAfterMs;
  }

  async #isPlaceHealthy({ change }: Delivery, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#target.acceptsProbeWrite?.(change, signal)) ?? true;
    } catch {
      return false;
    }
  }
}
