// For how long a group certainly keeps for a member what it gave to it: from when the last request was sent that the coordinator answered as to a member. A process that was frozen, or
// whose coordinator is away, hears some moments later that others have taken over; until it knows, it must not do what only one may do.
import { Notifier } from '../../async/notifier.js';

/** What is begun at the last moment takes its time, too: so much of the session. */
const MARGIN = 0.1;

export class GroupLease {
  readonly #sessionTimeoutMs: number;
  readonly #renewed = new Notifier();
  #sentMs = Number.NEGATIVE_INFINITY;

  constructor(sessionTimeoutMs: number) {
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  get isHeld(): boolean {
    return performance.now() - this.#sentMs < this.#sessionTimeoutMs * (1 - MARGIN);
  }

  /** @param sentMs - when the request was sent that is answered now, in milliseconds of the monotonic clock: the coordinator counts from later */
  renew(sentMs: number): void {
    this.#sentMs = Math.max(this.#sentMs, sentMs);
    this.#renewed.notify();
  }

  /** Others may have what this member had. */
  end(): void {
    this.#sentMs = Number.NEGATIVE_INFINITY;
  }

  /** Resolves at once while it is held, else when it is renewed, or the signal aborts. */
  async held(signal: AbortSignal): Promise<void> {
    if (this.isHeld) return;
    await this.#renewed.until(() => this.isHeld, signal);
  }
}
