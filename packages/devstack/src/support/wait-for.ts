// Polling until something becomes true: tests and start-up wait for conditions, never for time.
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { WaitTimeoutError } from '../errors.js';
import { deferred } from './deferred.js';

export interface WaitOptions<T> {
  /** What is waited for, for the error: `waited 30000 ms for <describe>`. A function gets the value read last. */
  readonly describe?: string | ((lastSeen: T | undefined) => string);
  /** Accepts a value and ends the wait. Without it, any truthy value does. */
  readonly until?: (value: T) => boolean;
  /** Milliseconds until the wait is given up; 30,000 by default. */
  readonly timeoutMs?: number;
  /** Milliseconds between two readings; 50 by default. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads `condition` again and again until it is met, and returns the value that met it. A condition that throws is
 * not met yet.
 *
 * @throws {WaitTimeoutError} with the value or the error seen last, when the time is over
 * @throws the reason of `signal`, as soon as it is aborted
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions<T> = {}): Promise<T> {
  const { timeoutMs = 30_000, intervalMs = 50, until = Boolean, signal } = options;
  const deadline = performance.now() + timeoutMs;
  let lastSeen: T | undefined;
  let lastError: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      lastError = undefined;
      lastSeen = await reading(condition, deadline, signal);
      if (until(lastSeen)) return lastSeen;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) throw timeoutError(timeoutMs, options.describe, lastSeen, lastError);
    await sleep(intervalMs);
  }
}

// A reading that hangs (a paused server keeps its connections open) must not outlive the deadline, nor the signal.
async function reading<T>(condition: () => T | Promise<T>, deadline: number, signal: AbortSignal | undefined): Promise<T> {
  const { promise: given, reject: giveUp } = deferred<never>();
  const timer = setTimeout(() => giveUp(new Error('the last reading did not return')), Math.max(0, deadline - performance.now()));
  const aborted = () => giveUp(signal?.reason);
  signal?.addEventListener('abort', aborted);
  try {
    return await Promise.race([Promise.resolve().then(condition), given]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}

function timeoutError<T>(timeoutMs: number, describe: WaitOptions<T>['describe'], lastSeen: T | undefined, lastError: unknown): Error {
  const what = typeof describe === 'function' ? describe(lastSeen) : (describe ?? 'a condition');
  const value = `last seen: ${inspect(lastSeen, { depth: 4 })}`;
  const seen = lastError === undefined ? value : `last error: ${String(lastError)}; ${value}`;
  return new WaitTimeoutError(`waited ${timeoutMs} ms for ${what}; ${seen}`, { cause: lastError });
}
