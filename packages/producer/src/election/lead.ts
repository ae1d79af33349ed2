// The outer loop: a session while this process leads, standing by while another one does, and after a failure another
// session. Whatever failed, and whether or not the last transaction was committed, the next one reads the checkpoint anew
// (promises A and B).
import { Backoff, errorCodes, type Logger, Outage, sleep, systemClock, TailwaterError } from '@tailwater/runtime';
import type { Election } from './election.js';

/** A session that failed is followed by another after this long, doubling up to the maximum, in milliseconds. */
const DELAY = { minMs: 500, maxMs: 15_000 };
const FENCED = errorCodes.PRODUCER_FENCED;
const TEXTS = {
  begins: 'The pipeline was interrupted; it goes on from its checkpoint',
  lasts: 'The pipeline is still interrupted',
  over: 'The pipeline runs again',
};

export const PHASES = ['starting', 'standby', 'running', 'recovering', 'stopping'] as const;

export type Phase = (typeof PHASES)[number];

/** What one producer is doing, for status and tests. */
export interface LeadView {
  phase: Phase;
  /** Why the last session ended, until the next one runs. */
  lastError: string | undefined;
  /** Another producer leads: what this one knew of its own work is history. */
  standBy(): void;
}

export interface LeadDependencies {
  readonly election: Election;
  readonly state: LeadView;
  readonly logger: Logger;
  readonly isRetriable: (error: unknown) => boolean;
  /** Tells of a failure that passes in words of its own; false leaves that to the loop. */
  readonly tell: (error: unknown, fields: object) => boolean;
}

/** Runs until the signal aborts or it fails for good. `onRunning` is called as soon as it works; failures before are counted. */
export type RunSession = (signal: AbortSignal, onRunning: () => void) => Promise<void>;

/**
 * Runs sessions, one after the other, whenever the election says so, until the signal aborts. The group is left last: the
 * next leader finds everything committed that this one has begun.
 *
 * @throws what no retry cures
 */
export async function lead(deps: LeadDependencies, session: RunSession, signal: AbortSignal): Promise<void> {
  const [leaving, failed] = [new AbortController(), new AbortController()];
  const membership = deps.election.run(leaving.signal).catch((error: unknown) => failed.abort(error));
  const stop = AbortSignal.any([signal, failed.signal]);
  try {
    await runSessions(deps, session, stop);
  } finally {
    leaving.abort();
    await membership;
  }
  if (failed.signal.aborted && !signal.aborted) throw failed.signal.reason;
}

async function runSessions(
  { election, state, logger, isRetriable, tell }: LeadDependencies,
  session: RunSession,
  stop: AbortSignal,
): Promise<void> {
  const standBy = (): void => {
    state.standBy();
    logger.info('Standing by: another producer of this source leads');
  };
  const outage = new Outage(TEXTS, logger, systemClock);
  const backoff = new Backoff(DELAY);
  let delayMs = 0;
  while (!stop.aborted) {
    let lost: AbortSignal | undefined;
    try {
      [lost] = await Promise.all([election.elected(stop, standBy), sleep(delayMs, stop)]);
      if (state.phase === 'standby') {
        logger.info('This producer leads now');
        state.phase = 'starting';
      }
      await session(AbortSignal.any([stop, lost]), () => {
        backoff.reset();
        outage.recovered();
      });
      if (!lost.aborted) return;
      delayMs = 0;
    } catch (error) {
      if (stop.aborted) return;
      const fenced = error instanceof TailwaterError && error.code === FENCED;
      if (fenced) election.fenced();
      if (fenced || lost?.aborted === true) {
        // Whether that other one leads, the group will say.
        logger.info('Another producer took over; it continues with what this one had not committed');
        state.phase = 'recovering';
        state.lastError = undefined;
        delayMs = 0;
        continue;
      }
      if (!isRetriable(error)) throw error;
      state.phase = 'recovering';
      state.lastError = error instanceof Error ? error.message : String(error);
      delayMs = backoff.next();
      const fields = { err: error, delayMs };
      if (!tell(error, fields)) outage.failed(state.lastError, fields);
    }
  }
}
