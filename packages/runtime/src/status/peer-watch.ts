// Whether a server that the process works with answers, asked every two seconds: a process that has nothing to send would not notice that it cannot.

import { abortable } from '../async/abortable.js';
import { type Clock, systemClock } from '../async/clock.js';
import { sleep } from '../async/sleep.js';
import type { Logger } from '../logging/logger.js';
import { Outage } from '../logging/outage.js';
import type { MetricDeclaration } from '../metrics/metric-table.js';
import type { Metrics } from '../metrics/metrics.js';
import { formatDuration } from '../text/format.js';

const INTERVAL_MS = 2_000;
/** How long an answer may take. */
const ANSWER_MS = 3_000;
/** A failed question is repeated sooner: another broker or member may answer. */
const AGAIN_MS = 500;
/** A server that has not answered for longer is away; short of a restart, and well below the ten seconds in which readiness must tell. */
const PATIENCE_MS = 6_000;

export type Peer = 'kafka' | 'mongodb' | 'target' | 'registry';

export interface PeerTrouble {
  readonly reason: string;
  /** For how long there has been no answer, in milliseconds. */
  readonly forMs: number;
}

export interface PeerWatchParts {
  /** Resolves when the server answers; what it rejects with is the reason that is told. */
  readonly ask: (signal: AbortSignal) => Promise<void>;
  /** Frees what asking holds. */
  readonly close?: () => void;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Whether the log is told, now that it is away. Default: never, for servers whose failures the log has from those who work with them. */
  readonly isToBeTold?: () => boolean;
}

/** The same in each process. */
export const UP = {
  kind: 'gauge',
  name: 'tailwater_up',
  help: '1 while a server that the process works with answers, 0 when it has not for six seconds',
  labels: ['peer'],
} as const satisfies MetricDeclaration;

/** @param peers by name; those that are asked by others than a {@link PeerWatch} too */
export function registerUp(metrics: Metrics, peers: Readonly<Partial<Record<Peer, () => boolean>>>): void {
  metrics.gauge<'peer'>({
    ...UP,
    collect: (gauge) => {
      for (const [peer, isUp] of Object.entries(peers)) gauge.set({ peer }, isUp() ? 1 : 0);
    },
  });
}

export class PeerWatch {
  readonly peer: Peer;
  readonly #name: string;
  readonly #parts: PeerWatchParts;
  readonly #clock: Clock;
  readonly #outage: Outage;
  #answeredAtMs: number;
  #reason: string | undefined;

  /** @param name the server's name in the log and in reasons: `Kafka at …` */
  constructor(peer: Peer, name: string, parts: PeerWatchParts) {
    this.peer = peer;
    this.#name = name;
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#answeredAtMs = this.#clock.monotonic();
    const texts = {
      begins: `${name} does not answer`,
      lasts: `${name} still does not answer`,
      over: `${name} answers again`,
      isState: true,
    };
    this.#outage = new Outage(texts, parts.logger, this.#clock);
  }

  /** Why the server counts as away; undefined while it answers. */
  get trouble(): PeerTrouble | undefined {
    const forMs = this.#clock.monotonic() - this.#answeredAtMs;
    return forMs < PATIENCE_MS ? undefined : { reason: this.#reason ?? 'no answer', forMs };
  }

  /** The same in words, as a reason why the process is not ready. */
  get reason(): string | undefined {
    const { trouble } = this;
    return trouble && `${this.#name} has not answered for ${formatDuration(trouble.forMs / 1000)}: ${trouble.reason}`;
  }

  /** Asks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      // Waiting may have taken long before there was anything to run.
      this.#answeredAtMs = this.#clock.monotonic();
      while (!signal.aborted) {
        const isAnswered = await this.#ask(signal);
        await sleep(isAnswered ? INTERVAL_MS : AGAIN_MS, signal);
      }
    } finally {
      this.#parts.close?.();
    }
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS);
    const stop = AbortSignal.any([signal, late.signal]);
    try {
      await abortable(this.#parts.ask(stop), stop);
      this.#answeredAtMs = this.#clock.monotonic();
      this.#reason = undefined;
      this.#outage.recovered();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { aborted } = late.signal;
      this.#reason = aborted ? `no answer within ${ANSWER_MS / 1000} s` : error instanceof Error ? error.message : String(error);
      if (this.trouble !== undefined && this.#parts.isToBeTold?.() === true) this.#outage.failed(this.#reason);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
