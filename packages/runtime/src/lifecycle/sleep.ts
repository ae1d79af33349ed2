// Waiting that ends when the process is asked to stop.

/**
 * Resolves after `ms` milliseconds, or as soon as the signal aborts, whichever is first. It never rejects: loops look at
 * `signal.aborted` themselves.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
