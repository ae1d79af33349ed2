// Waiting for work that cannot be cancelled itself, such as a client's own endless retries, no longer than anyone wants it.
import { onAbort } from './on-abort.js';

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as it aborts. The work itself goes on unseen.
 *
 * @throws the signal's reason
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {}); // After the abort a failure has no listener.
  signal.throwIfAborted();
  let stopListening = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening();
  }
}
