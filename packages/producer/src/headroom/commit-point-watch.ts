// Watches how far the source is committed by a majority, which is how far it can be published (promise G): the lag, and what is held back
// while a replica set has no majority. What it knows is asked for without asking a server, and says how old it is.
import {
  errorCodes,
  formatDuration,
  type Logger,
  type Metrics,
  Outage,
  RequestTimes,
  sleep,
  systemClock,
  TailwaterError,
} from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { PRODUCER_METRICS } from '../metrics/metric-table.js';
import { isRetriableMongoError } from '../source/mongo/mongo-errors.js';
import type { SourceHealth } from '../source/mongo/source-health.js';
import { type CommitPoint, readCommitPoint } from '../source/oplog/oplog-window.js';

const INTERVAL_MS = 1000;
const ANSWER_TIMEOUT_MS = 5000;
/** Writes that wait no longer than this for a majority, and servers that are silent no longer, are no news: elections take as long. */
const PATIENCE_MS = 10_000;

export interface HeldBack {
  readonly seconds: number;
  readonly reason: string;
}

export interface CommitPointSource {
  readonly client: MongoClient;
  /** The source's name, as the metrics' label. */
  readonly replicaSet: string;
  /** Whether this process is to publish what is written. */
  readonly isWorking: () => boolean;
  readonly times?: RequestTimes;
}

export class CommitPointWatch {
  readonly #source: CommitPointSource;
  readonly #health: SourceHealth;
  readonly #logger: Logger;
  readonly #outage: Outage;
  readonly #clock = systemClock;
  readonly #setGauge: (seconds: number) => void;
  #point: CommitPoint | undefined;
  #answeredAtMs: number;
  /** Since when writes have waited for a majority; undefined while none do. */
  #waitingSinceMs: number | undefined;

  constructor(source: CommitPointSource, health: SourceHealth, metrics: Metrics, logger: Logger) {
    this.#source = source;
    this.#health = health;
    this.#logger = logger;
    const { message } = new TailwaterError(errorCodes.NO_MAJORITY, {});
    const over = 'A majority of the replica set replicates writes again';
    this.#outage = new Outage({ begins: message, lasts: message, over, isState: true }, logger, this.#clock);
    this.#answeredAtMs = this.#clock.monotonic();
    const gauge = metrics.gauge(PRODUCER_METRICS.heldBack);
    this.#setGauge = (seconds) => gauge.set({ source: source.replicaSet }, seconds);
  }

  /** Asks every second. No answer is reported as an outage of MongoDB. */
  async run(signal: AbortSignal): Promise<void> {
    const reader = this.#health.reader();
    const { times = new RequestTimes() } = this.#source;
    while (!signal.aborted) {
      try {
        const stop = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
        this.#saw(await times.of('hello', () => readCommitPoint(this.#source.client, stop)));
        reader.answered();
      } catch (error) {
        if (signal.aborted) break;
        this.#logger.debug({ err: error }, 'MongoDB did not report its commit point');
        const silentMs = this.#clock.monotonic() - this.#answeredAtMs;
        const isSilent = silentMs > PATIENCE_MS && (isRetriableMongoError(error) || isTimeout(error));
        if (isSilent) await reader.failed(new Error(`no member has answered for ${formatDuration(silentMs / 1000)}`), signal);
      }
      await sleep(INTERVAL_MS, signal);
    }
    reader.close();
  }

  /** From the position to the newest one that can be published; undefined while that is not known. */
  lagSeconds(position: Position | undefined): number | undefined {
    if (position === undefined || this.#point === undefined || this.ageSeconds > PATIENCE_MS / 1000) return undefined;
    return Math.max(0, this.#point.committed.t - position.t);
  }

  /** Since the last answer. */
  get ageSeconds(): number {
    return Math.round((this.#clock.monotonic() - this.#answeredAtMs) / 1000);
  }

  /** For how long writes have waited for a majority. */
  get heldBackSeconds(): number {
    return this.#waitingSinceMs === undefined ? 0 : Math.floor((this.#clock.monotonic() - this.#waitingSinceMs) / 1000);
  }

  /** What is held back for longer than an election takes, and why. */
  get heldBack(): HeldBack | undefined {
    const seconds = this.heldBackSeconds;
    if (seconds * 1000 < PATIENCE_MS) return undefined;
    const { code, message } = new TailwaterError(errorCodes.NO_MAJORITY, {});
    return { seconds, reason: `${code} ${message}, for ${formatDuration(seconds)}` };
  }

  #saw(point: CommitPoint): void {
    const before = this.#point;
    this.#point = point;
    this.#answeredAtMs = this.#clock.monotonic();
    const isWaiting = point.written.compare(point.committed) > 0;
    const hasMoved = before === undefined || point.committed.compare(before.committed) !== 0;
    if (!isWaiting) this.#waitingSinceMs = undefined;
    else if (hasMoved || this.#waitingSinceMs === undefined) this.#waitingSinceMs = this.#answeredAtMs;
    this.#setGauge(this.heldBackSeconds);
    this.#speak(point);
  }

  #speak({ committed, written }: CommitPoint): void {
    const { heldBack } = this;
    if (heldBack === undefined || !this.#source.isWorking()) {
      if (this.heldBackSeconds === 0) this.#outage.recovered();
      return;
    }
    const { code, hint } = new TailwaterError(errorCodes.NO_MAJORITY, {});
    const fields = { code, heldBackSeconds: heldBack.seconds, committed: committed.toString(), written: written.toString(), hint };
    this.#outage.failed(`what was written behind ${new Date(committed.t * 1000).toISOString()} is held back`, fields);
  }
}

const isTimeout = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError');
