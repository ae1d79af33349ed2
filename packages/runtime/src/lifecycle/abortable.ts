// Waiting for work that cannot be cancelled itself, such as a client's own endless retries, no longer than anyone wants it.

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as it aborts. The work itself goes on unseen.
 *
 * @throws the signal's reason
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {}); // Nobody may be left to hear of a failure after the abort.
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
