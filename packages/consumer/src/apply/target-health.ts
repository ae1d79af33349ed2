// How the target is at the moment, as a whole and by namespace, for the log and the status page.
import { type Clock, errorCodes, type Logger, Outage, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';
import type { Refusal } from './place.js';

export interface TargetFailure {
  readonly code: string;
  readonly reason: string;
}

const TEXTS = {
  begins: 'The target does not accept changes, trying again until it does',
  lasts: 'The target still does not accept changes',
  over: 'The target accepts changes again',
};

/** More namespaces are not told of one by one: when a disk is full, all of them wait. */
const MAX_TOLD = 10;

export class TargetHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #target: string;
  readonly #places = new Map<Namespace, Outage | undefined>();
  readonly #others: Outage;
  #failure: (TargetFailure & { readonly sinceMs: number }) | undefined;
  readonly #outage: Outage;

  /** @param target the kind of target, for messages */
  constructor(clock: Clock, logger: Logger, target: string) {
    this.#clock = clock;
    this.#logger = logger;
    this.#target = target;
    this.#outage = new Outage(TEXTS, logger, clock);
    this.#others = new Outage(textsOf('Further namespaces'), logger, clock);
  }

  /** Why the target takes nothing at the moment, since when in milliseconds since the epoch; undefined while it takes changes. */
  get failure(): (TargetFailure & { readonly sinceMs: number }) | undefined {
    return this.#failure;
  }

  /** For how long, in milliseconds, the target has taken nothing. */
  get failingMs(): number {
    return this.#failure === undefined ? 0 : this.#clock.now() - this.#failure.sinceMs;
  }

  onRetry({ code, reason, changes }: TargetFailure & { readonly changes: number }): void {
    const now = this.#clock.now();
    this.#failure = { code, reason, sinceMs: this.#failure?.sinceMs ?? now };
    this.#outage.failed(reason, { code, changes });
  }

  /** A request was answered; `left` of its changes have to be tried again. */
  onRequest({ left }: { readonly left: number }): void {
    if (this.#failure === undefined || left > 0) return;
    this.#failure = undefined;
    this.#outage.recovered();
  }

  /** A namespace waits from now on, or still does, while those of others go on. */
  onWaiting(namespace: Namespace, { code, reason, of }: Refusal): void {
    const error = waitingError(this.#target, namespace, { code, reason, of });
    if (!this.#places.has(namespace)) {
      const told = [...this.#places.values()].filter((outage) => outage !== undefined).length;
      this.#places.set(namespace, told < MAX_TOLD ? new Outage(textsOf(formatNamespace(namespace)), this.#logger, this.#clock) : undefined);
    }
    (this.#places.get(namespace) ?? this.#others).failed(error.message, { code: error.code, hint: error.hint });
  }

  onResumed(namespace: Namespace): void {
    this.#places.get(namespace)?.recovered();
    this.#places.delete(namespace);
    if (![...this.#places.values()].includes(undefined)) this.#others.recovered();
  }
}

/** Why a namespace waits, with what to do about it. */
export function waitingError(target: string, namespace: Namespace, { code, reason, of }: Refusal): TailwaterError {
  const params = { target, namespace: formatNamespace(namespace), reason: `${code} ${reason}` };
  return new TailwaterError(of === 'place' ? errorCodes.PLACE_WAITS : errorCodes.NAMESPACE_REFUSED, params);
}

function textsOf(what: string) {
  return { begins: `${what} waits, the others go on`, lasts: `${what} still waits`, over: `${what} goes on` };
}
