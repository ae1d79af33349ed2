// From start to exit code: signals, errors that end the process, and uncaught errors.

import { constants } from 'node:os';
import { errorCodes } from '../errors/catalogue.js';
import { EXIT_FAILURE } from '../errors/error-entry.js';
import { renderError } from '../errors/render-error.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { useColor } from '../text/color.js';
import { EXIT_DEFECT, EXIT_UNFINISHED } from './exit-codes.js';

export interface ProcessDeps {
  /** Where errors are printed. Default `process.stderr`. */
  readonly stderr?: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /** Gets uncaught errors, after they were printed and before the process ends, which waits a second for it. */
  readonly onDefect?: (error: unknown) => Promise<void>;
  /** Asked when the signal aborts. Default {@link DEFAULT_SHUTDOWN_TIMEOUT_MS}. */
  readonly shutdownTimeoutMs?: () => number;
  /** What the process is still busy with, for telling. */
  readonly unfinished?: () => readonly string[];
  /** Gets the error of a stop that ran out of time, as `onDefect` does. */
  readonly onUnfinished?: (error: TailwaterError) => Promise<void>;
}

/** How long a process takes to stop, in milliseconds, unless it is told otherwise: supervisors mostly kill after 30 s. */
export const DEFAULT_SHUTDOWN_TIMEOUT_MS = 20_000;
/** How long the log has for its last lines, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/** Why the signal given to `main` aborted. */
export class StopRequested extends Error {
  override readonly name = 'AbortError';
  readonly signalName: NodeJS.Signals;

  constructor(signalName: NodeJS.Signals) {
    super(`Stopped by ${signalName}`);
    this.signalName = signalName;
  }
}

/**
 * Runs `main` as the process's only business and then ends the process.
 *
 * - SIGINT or SIGTERM aborts the signal; `main` drains, resolves, and the exit code is 0 (or `process.exitCode` when set).
 * - When that takes longer than the shutdown timeout, what is left is printed, exit code 75: a server that is gone or frozen keeps no process alive.
 * - A second signal exits at once: 130 for SIGINT, 143 for SIGTERM.
 * - What `main` throws is printed, and the code comes from the catalogue: 2 for usage, else 1. Being aborted is no error.
 * - Uncaught errors are printed, exit code 70.
 */
export async function runProcess(main: (signal: AbortSignal) => Promise<void>, deps: ProcessDeps = {}): Promise<void> {
  const stderr = deps.stderr ?? process.stderr;
  const stop = new AbortController();
  const print = (error: unknown) => {
    stderr.write(renderError(error, { color: useColor(stderr), width: Math.max(40, Math.min(stderr.columns ?? 100, 120)) }));
  };
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[name]);
    stop.abort(new StopRequested(name));
    const timeoutMs = deps.shutdownTimeoutMs?.() ?? DEFAULT_SHUTDOWN_TIMEOUT_MS;
    setTimeout(onTimeout, timeoutMs, timeoutMs);
    // Only a person at a terminal can send another; a supervisor's log needs no advice.
    if (stderr.isTTY === true) stderr.write('\r\u001b[KStopping; press Ctrl-C again to exit at once\n');
  };
  const onDefect = (error: unknown) => {
    print(error);
    leave(EXIT_DEFECT, deps.onDefect?.(error));
  };
  const onTimeout = (timeoutMs: number) => {
    const left = deps.unfinished?.().join(', ') || 'closing';
    const error = new TailwaterError(errorCodes.SHUTDOWN_TIMED_OUT, { seconds: timeoutMs / 1000, left });
    print(error);
    leave(EXIT_UNFINISHED, deps.onUnfinished?.(error));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('uncaughtException', onDefect);
  process.on('unhandledRejection', onDefect);
  process.stdout.on('error', onBrokenPipe);
  // The reader of the errors is gone; work goes on without it.
  process.stderr.on('error', () => {});
  try {
    await main(stop.signal);
    await exit(Number(process.exitCode ?? 0));
  } catch (error) {
    if (isAbortOf(stop.signal, error)) return await exit(0);
    print(error);
    await exit(error instanceof TailwaterError ? error.exitCode : EXIT_FAILURE);
  }
}

/** Ends the process, after a moment for its last words. */
function leave(code: number, words: Promise<void> = Promise.resolve()): void {
  const exitNow = () => process.exit(code);
  setTimeout(exitNow, LAST_WORDS_MS);
  words.then(exitNow, exitNow);
}

/** The reader of our output (`consumer status | head`) has seen enough. */
function onBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

function isAbortOf(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && error instanceof Error && (error === signal.reason || error.name === 'AbortError');
}

/** Ends the process once everything written is with the reader: a pipe's writes may still be under way. */
async function exit(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
  process.exit(code);
}
