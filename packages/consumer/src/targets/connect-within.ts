// The first connection to a target: tried again and again within a time, so that both may be started together.
import { sleep, TailwaterError } from '@tailwater/runtime';

const PAUSE_MS = 500;

/** @throws the last failure: at once when it is not retriable, else when the time is up; the signal's reason once it aborts */
export async function connectWithin(timeoutMs: number, signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      // Whatever fails then fails for that: to be told to stop while a server is not there is no error.
      signal.throwIfAborted();
      const passes = error instanceof TailwaterError && error.retriable;
      if (!passes || performance.now() >= deadline) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}
