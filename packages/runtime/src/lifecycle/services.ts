// Long-lived parts of a process that stand and fall together.

/**
 * Maintained invariant: `run` closes what it opened before its promise settles. It resolves soon after the signal aborts, or
 * earlier when its work is done, and rejects when it cannot go on.
 */
export interface Service {
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs all services until each is done. When one fails, the others are aborted and awaited, so nothing is left running.
 *
 * @throws the first service's error; what others throw while they stop is its consequence
 */
export async function runServices(services: readonly Service[], signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let failure: { error: unknown } | undefined;
  await Promise.all(
    services.map(async (service) => {
      try {
        await service.run(either);
      } catch (error) {
        failure ??= { error };
        failed.abort(error);
      }
    }),
  );
  if (failure !== undefined) throw failure.error;
}
