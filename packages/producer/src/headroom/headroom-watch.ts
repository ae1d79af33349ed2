// Watches one source's oplog and says in time that it is about to roll past the checkpoint (promise F): metrics, status, log.
import { formatDuration, type Logger, type Metrics, sleep, TailwaterError } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { isUnauthorized } from '../source/mongo/mongo-errors.js';
import { type OplogWindow, readOplogWindow } from '../source/oplog/oplog-window.js';
import { BurnRate } from './burn-rate.js';
import { type Headroom, measureHeadroom } from './headroom.js';
import { HeadroomAlarm } from './headroom-alarm.js';

const INTERVAL_MS = 10_000;

const GAUGES = {
  oplog_window_seconds: ['From the oldest to the newest oplog entry', (headroom: Headroom) => headroom.windowSeconds],
  oplog_used_bytes: ['Bytes in the oplog', (headroom: Headroom) => headroom.usedBytes],
  oplog_max_bytes: ['Bytes that the oplog may grow to', (headroom: Headroom) => headroom.maxBytes],
  oplog_written_bytes_per_second: ['How fast the oplog is written', (headroom: Headroom) => headroom.burnBytesPerSecond],
  headroom_seconds: ['From the oldest oplog entry to the checkpoint', (headroom: Headroom) => headroom.headroomSeconds],
  headroom_percent: ['What of the oplog may be written before the checkpoint is lost', (headroom: Headroom) => headroom.leftPercent],
  headroom_loss_seconds: ['Time until the checkpoint would be lost if it stood still', (headroom: Headroom) => headroom.secondsToLoss],
} as const;

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
    this.#gauges = Object.entries(GAUGES).map(([name, [help, value]]) => {
      const gauge = metrics.gauge({ name: `tailwater_producer_${name}`, help, labels: ['source'] });
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
      await this.measure().catch((error: unknown) => this.#logger.debug({ err: error }, 'The oplog could not be looked at'));
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
      this.#logger.info('The user may not read local.oplog.rs: how much of the oplog is left is not watched');
      return undefined;
    }
  }

  #speak({ leftPercent, headroomSeconds, secondsToLoss, note }: Headroom): void {
    if (leftPercent === null) return;
    const alarm = this.#alarm.judge(leftPercent);
    if (alarm === undefined) return;
    const figures = { leftPercent, headroomSeconds, secondsToLoss, ...(note === null ? {} : { note }) };
    if (alarm.kind === 'recovered') {
      this.#logger.info(figures, 'The oplog has room again before it passes the checkpoint');
      return;
    }
    const { code, message, hint } = new TailwaterError('TW1151', { level: alarm.level });
    const loss = secondsToLoss === null ? '' : `; at the present rate it is lost in ${formatDuration(secondsToLoss)}`;
    this.#logger.warn({ code, ...figures, hint }, `${message}${loss}`);
  }
}
