// Waiting for somebody to say that there is something to do, for as long as the process runs.
import { onAbort } from './on-abort.js';

/**
 * Resolves when what it hands to `arm` is called, or the signal aborts. It listens to the signal only until then: whoever waits in a loop for months leaves
 * nothing behind.
 */
export function woken(signal: AbortSignal, arm: (wake: () => void) => void): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const stopListening = onAbort(signal, resolve);
    arm(() => {
      stopListening();
      resolve();
    });
  });
}
