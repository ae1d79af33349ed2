// Changes at which the target fails (status 500) while it does not say that it refuses them. Either the target is ill, and they are
// tried again for as long as it takes, or a change makes it fail, and would block its partition for ever. A change is convicted only
// by evidence: it failed alone, again and again; before and after each time the place where it belongs took a write beside it, and
// other documents of its namespace were accepted since the time before. Nothing is put aside because a whole target is ill.
import type { Namespace } from '@tailwater/schema';
import type { Rejection, Target } from '../targets/target.js';
import type { Delivery } from './delivery.js';

/** So many failures, after the first one, with all of the evidence. */
const FAILURES = 3;
/** And at least so long after the first one, in milliseconds. */
const SUSPECTED_FOR_MS = 5_000;
/** More at once are not looked into: each of them is a request of its own. */
const MAX_SUSPECTS = 100;

export type Doubtful = readonly (readonly [Delivery, Rejection])[];

/** When an upsert of a namespace was last accepted, by any lane. */
export class Witnesses {
  readonly #acceptedAtMs = new Map<Namespace, number>();

  note(batch: readonly Delivery[], isAccepted: (index: number) => boolean): void {
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

interface Suspicion {
  readonly sinceMs: number;
  failures: number;
  lastAtMs: number;
  /** The place took a write after the last failure. */
  wasWell: boolean;
}

/** The suspects of one batch. */
export class Suspects {
  readonly #target: Pick<Target, 'takesWriteBeside'>;
  readonly #witnesses: Pick<Witnesses, 'hasSince'>;
  readonly #suspectedForMs: number;
  readonly #suspicions = new Map<Delivery, Suspicion>();

  constructor(target: Pick<Target, 'takesWriteBeside'>, witnesses: Pick<Witnesses, 'hasSince'>, suspectedForMs = SUSPECTED_FOR_MS) {
    this.#target = target;
    this.#witnesses = witnesses;
    this.#suspectedForMs = suspectedForMs;
  }

  get size(): number {
    return this.#suspicions.size;
  }

  /** So many more can be looked into. */
  get room(): number {
    return MAX_SUSPECTS - this.#suspicions.size;
  }

  has(delivery: Delivery): boolean {
    return this.#suspicions.has(delivery);
  }

  forget(delivery: Delivery): void {
    this.#suspicions.delete(delivery);
  }

  /** Notes that the target failed at each of these alone; returns those that are to blame for it. */
  async failedAt(doubtful: Doubtful, signal: AbortSignal): Promise<Doubtful> {
    const convicted: (readonly [Delivery, Rejection])[] = [];
    for (const each of doubtful) {
      const [delivery] = each;
      const suspicion = this.#suspicions.get(delivery);
      if (suspicion === undefined) {
        const now = performance.now();
        if (this.room <= 0) continue;
        const wasWell = await this.#isWellBeside(delivery, signal);
        this.#suspicions.set(delivery, { sinceMs: now, failures: 0, lastAtMs: now, wasWell });
      } else if (await this.#isConfirmed(delivery, suspicion, signal)) convicted.push(each);
    }
    return convicted;
  }

  async #isConfirmed(delivery: Delivery, suspicion: Suspicion, signal: AbortSignal): Promise<boolean> {
    const hasWitness = this.#witnesses.hasSince(delivery.change.namespace, suspicion.lastAtMs);
    if (!hasWitness && suspicion.wasWell) return false;
    const { wasWell } = suspicion;
    suspicion.wasWell = await this.#isWellBeside(delivery, signal);
    if (!hasWitness || !wasWell || !suspicion.wasWell) return false;
    suspicion.failures += 1;
    suspicion.lastAtMs = performance.now();
    return suspicion.failures >= FAILURES && performance.now() - suspicion.sinceMs >= this.#suspectedForMs;
  }

  async #isWellBeside({ change }: Delivery, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#target.takesWriteBeside?.(change, signal)) ?? true;
    } catch {
      return false;
    }
  }
}
