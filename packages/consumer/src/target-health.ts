// How the target is at the moment, for the log and the status page: one line when it begins to refuse, one every now and then
// while it does, one when it is back.
import type { Clock, Logger } from '@tailwater/runtime';

export interface TargetFailure {
  readonly code: string;
  readonly reason: string;
}

const REPEAT_MS = 30_000;

export class TargetHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #failure: (TargetFailure & { readonly sinceMs: number }) | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #told = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
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
    // With several requests in flight some may pass while others do not: that must not fill the log.
    if (now - this.#toldAtMs < REPEAT_MS) return;
    this.#toldAtMs = now;
    this.#told = true;
    this.#logger.warn({ code, changes }, `The target does not take changes, trying again until it does: ${reason}`);
  }

  /** A request was answered; `left` of its changes have to be tried again. */
  onRequest({ left }: { readonly left: number }): void {
    if (this.#failure === undefined || left > 0) return;
    const seconds = Math.round((this.#clock.now() - this.#failure.sinceMs) / 1000);
    this.#failure = undefined;
    if (this.#told) this.#logger.info({ seconds }, 'The target takes changes again');
    this.#told = false;
  }
}
