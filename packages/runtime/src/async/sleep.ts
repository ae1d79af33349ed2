// Waiting that ends when the process is asked to stop.
import { onAbort } from './on-abort.js';

/**
 * Resolves after `ms` milliseconds, or as soon as the signal aborts, whichever is first. It never rejects: loops look at
 * `signal.aborted` themselves.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    let stopListening = (): void => {};
    const finish = (): void => {
      clearTimeout(timer);
      stopListening();
      resolve();
    };
    // Node 24 warns of a time that is past.
    const timer = setTimeout(finish, Math.max(0, ms));
    if (signal !== undefined) stopListening = onAbort(signal, finish);
  });
}
