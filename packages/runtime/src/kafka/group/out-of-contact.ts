// Whether a broker is still there that takes long to answer: one that was frozen, or a connection that broke without a sign, never answers at all, and a member
// must not go on for longer than the group keeps for it what it was given.
import { sleep } from '../../async/sleep.js';

export interface Contact {
  /** When the broker was last known to be there, in milliseconds of the monotonic clock. */
  readonly lastMs: number;
  /** So long, in milliseconds, it may not be heard of. */
  readonly limitMs: number;
  /** Asks it something, over another connection; resolves when it has answered. */
  readonly probe: () => Promise<void>;
}

/** The broker was not heard of for too long. */
export class OutOfContactError extends Error {
  override readonly name = 'OutOfContactError';
  readonly retriable = true;
}

/** Probes per limit: one that is lost must not decide. */
const PROBES = 10;

/**
 * Goes on until the signal aborts, and then never settles.
 *
 * @throws OutOfContactError
 */
export async function outOfContact({ lastMs, limitMs, probe }: Contact, signal: AbortSignal): Promise<never> {
  let heardMs = lastMs;
  let isProbing = false;
  while (!signal.aborted) {
    await sleep(limitMs / PROBES, signal);
    if (signal.aborted) break;
    if (performance.now() - heardMs > limitMs)
      throw new OutOfContactError(`The coordinator of the group was not heard of for ${Math.round(limitMs / 1000)} s`);
    if (isProbing) continue;
    isProbing = true;
    const sentMs = performance.now();
    const heard = () => {
      heardMs = sentMs;
    };
    void probe()
      .then(heard, () => undefined)
      .finally(() => {
        isProbing = false;
      });
  }
  return new Promise<never>(() => undefined);
}
