// Watches one source's oplog and says in time that it is about to roll past the checkpoint (promise F): metrics, status, log.
import { errorCodes, formatDuration, type Logger, type Metrics, type MetricsOf, sleep, TailwaterError } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { PRODUCER_METRICS } from '../metrics/metric-table.js';
import { isUnauthorized } from '../source/mongo/mongo-errors.js';
import { type OplogWindow, readOplogWindow } from '../source/oplog/oplog-window.js';
import { BurnRate } from './burn-rate.js';
import { type Headroom, measureHeadroom } from './headroom.js';
import { HeadroomAlarm } from './headroom-alarm.js';

const INTERVAL_MS = 10_000;

const GAUGES: readonly (readonly [MetricsOf<typeof PRODUCER_METRICS, 'gauge'>, (headroom: Headroom) => number | null])[] = [
  ['oplogWindow', ({ windowSeconds }) => windowSeconds],
  ['oplogUsedBytes', ({ usedBytes }) => usedBytes],
  ['oplogMaxBytes', ({ maxBytes }) => maxBytes],
  ['oplogWritten', ({ burnBytesPerSecond }) => burnBytesPerSecond],
  ['headroomSeconds', ({ headroomSeconds }) => headroomSeconds],
  ['headroomPercent', ({ leftPercent }) => leftPercent],
  ['headroomLoss', ({ secondsToLoss }) => secondsToLoss],
];

export interface HeadroomSource {
  /** There is no oplog to read through a mongos. */
  readonly isMongos?: boolean;
  readonly client: MongoClient;
  /** The source's name, as the metrics' label. */
  readonly replicaSet: string;
  readonly position: () => Position | undefined;
}

export interface OplogStatus extends Headroom {
  readonly oldest: string;
  readonly newest: string;
  /** When the oplog was looked at. */
  readonly at: string;
}

export class HeadroomWatch {
  readonly #source: HeadroomSource;
  readonly #logger: Logger;
  readonly #burn = new BurnRate();
  readonly #alarm = new HeadroomAlarm();
  readonly #gauges: readonly ((headroom: Headroom) => void)[];
  #unreadable = false;
  #seen: { readonly window: OplogWindow; readonly atMs: number } | undefined;

  constructor(source: HeadroomSource, metrics: Metrics, logger: Logger) {
    this.#source = source;
    this.#logger = logger;
    this.#gauges = GAUGES.map(([key, value]) => {
      const gauge = metrics.gauge<'source'>({ ...PRODUCER_METRICS[key], labels: ['source'] });
      return (headroom) => {
        const current = value(headroom);
        if (current === null) gauge.remove({ source: source.replicaSet });
        else gauge.set({ source: source.replicaSet }, current);
      };
    });
  }

  /** Looks every ten seconds. What cannot be read is no reason to end: the source itself will tell. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.measure().catch((error: unknown) => this.#logger.debug({ err: error }, 'The oplog could not be read'));
      await sleep(INTERVAL_MS, signal);
    }
  }

  /** Of the oplog as it was looked at last: nothing is asked for it. Undefined before that, and where the user may not read it. */
  get last(): OplogStatus | undefined {
    if (this.#seen === undefined) return undefined;
    const { window, atMs } = this.#seen;
    const position = this.#source.position();
    return {
      oldest: window.oldest.toString(),
      newest: window.newest.toString(),
      at: new Date(atMs).toISOString(),
      ...measureHeadroom(window, position, this.#burn.bytesPerSecond),
    };
  }

  /** Looks at the oplog; undefined where the user may not read it, as with a change stream. */
  async measure(): Promise<OplogStatus | undefined> {
    const window = await this.#read();
    if (window === undefined) return undefined;
    this.#seen = { window, atMs: Date.now() };
    this.#burn.add(window, performance.now());
    const status = this.last as OplogStatus;
    for (const set of this.#gauges) set(status);
    this.#speak(status);
    return status;
  }

  async #read(): Promise<OplogWindow | undefined> {
    if (this.#unreadable) return undefined;
    try {
      return await readOplogWindow(this.#source.client);
    } catch (error) {
      // A mongos has no oplog.
      if (!isUnauthorized(error) && !this.#source.isMongos) throw error;
      this.#unreadable = true;
      this.#logger.info('The user may not read local.oplog.rs: the oplog headroom is not monitored');
      return undefined;
    }
  }

  #speak({ leftPercent, headroomSeconds, secondsToLoss, note }: Headroom): void {
    if (leftPercent === null) return;
    const alarm = this.#alarm.judge(leftPercent);
    if (alarm === undefined) return;
    const figures = { leftPercent, headroomSeconds, secondsToLoss, ...(note === null ? {} : { note }) };
    if (alarm.kind === 'recovered') {
      this.#logger.info(figures, 'The oplog headroom is sufficient again');
      return;
    }
    const { code, message, hint } = new TailwaterError(errorCodes.OPLOG_HEADROOM_LOW, { level: alarm.level });
    const loss = secondsToLoss === null ? '' : `; at the present rate it is lost in ${formatDuration(secondsToLoss)}`;
    this.#logger.warn({ code, ...figures, hint }, `${message}${loss}`);
  }
}
