// How the target is at the moment, for the log and the status page.
import { type Clock, type Logger, Outage } from '@tailwater/runtime';

export interface TargetFailure {
  readonly code: string;
  readonly reason: string;
}

const TEXTS = {
  begins: 'The target does not take changes, trying again until it does',
  lasts: 'The target still does not take changes',
  over: 'The target takes changes again',
};

export class TargetHealth {
  readonly #clock: Clock;
  #failure: (TargetFailure & { readonly sinceMs: number }) | undefined;
  readonly #outage: Outage;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#outage = new Outage(TEXTS, logger, clock);
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
}
