// Several servers as one: all of them come up, or none stays.
import { DevstackError } from './errors.js';

type Starters = Readonly<Record<string, () => Promise<AsyncDisposable>>>;

/** What the starters resolved to, under their names. */
export type Started<S extends Starters> = { readonly [K in keyof S]: Awaited<ReturnType<S[K]>> };

/**
 * Starts everything at once. Starting is mostly waiting for a JVM, which two cores share well.
 *
 * @throws what the first starter that failed threw, when all others have been stopped again
 */
export async function startAll<S extends Starters>(starters: S): Promise<Started<S>> {
  const names = Object.keys(starters);
  const outcomes = await Promise.allSettled(Object.values(starters).map((start) => start()));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  if (failure !== undefined) {
    await stopAll(started);
    throw failure.reason;
  }
  return Object.fromEntries(started.map((server, index) => [names[index] as string, server])) as Started<S>;
}

/** @throws {DevstackError} naming what could not be stopped, after everything else was */
export async function stopAll(servers: readonly AsyncDisposable[]): Promise<void> {
  const outcomes = await Promise.allSettled(servers.map((server) => server[Symbol.asyncDispose]()));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  if (failures.length > 0) throw new DevstackError(`Not everything could be stopped: ${failures.join('; ')}`);
}
