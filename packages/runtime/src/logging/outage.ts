// Something that fails again and again until it works: a line when that begins, one a minute while it lasts, one when it is over.
import type { Clock } from '../async/clock.js';
import { formatDuration } from '../text/format.js';
import type { Logger } from './logger.js';

const REPEAT_MS = 60_000;

export interface OutageTexts {
  /** `The target takes no changes, trying again until it does` */
  readonly begins: string;
  /** `The target still takes no changes` */
  readonly lasts: string;
  /** `The target accepts changes again` */
  readonly over: string;
  /** A state that is looked at, where the number of looks says nothing: they are not counted aloud. */
  readonly isState?: boolean;
}

export class Outage {
  readonly #texts: OutageTexts;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #sinceMs: number | undefined;
  #toldAtMs = 0;
  /** Failures, and those of them that no line has told yet. */
  #failures = 0;
  #untold = 0;

  constructor(texts: OutageTexts, logger: Logger, clock: Clock) {
    this.#texts = texts;
    this.#logger = logger;
    this.#clock = clock;
  }

  get isUnderWay(): boolean {
    return this.#sinceMs !== undefined;
  }

  failed(reason: string, fields: object = {}): void {
    const now = this.#clock.monotonic();
    this.#failures += 1;
    if (this.#sinceMs === undefined) {
      this.#sinceMs = now;
      this.#toldAtMs = now;
      this.#logger.warn(fields, `${this.#texts.begins}: ${reason}`);
      return;
    }
    this.#untold += 1;
    if (now - this.#toldAtMs < REPEAT_MS) return;
    const times = `, ${this.#untold} ${this.#untold === 1 ? 'failure' : 'failures'} in the last ${formatDuration((now - this.#toldAtMs) / 1000)}`;
    const isState = this.#texts.isState === true;
    this.#logger.warn(
      { ...fields, ...(isState ? {} : { failures: this.#failures }) },
      `${this.#texts.lasts}, for ${this.#lasted(now)}${isState ? '' : times}: ${reason}`,
    );
    this.#toldAtMs = now;
    this.#untold = 0;
  }

  /** @param endedMs - by the monotonic clock. Default now */
  recovered(endedMs: number = this.#clock.monotonic()): void {
    if (this.#sinceMs === undefined) return;
    const seconds = Math.round((endedMs - this.#sinceMs) / 1000);
    const failures = this.#texts.isState === true ? {} : { failures: this.#failures };
    this.#logger.info({ seconds, ...failures }, `${this.#texts.over}, after ${this.#lasted(endedMs)}`);
    this.#sinceMs = undefined;
    this.#failures = 0;
    this.#untold = 0;
  }

  #lasted(untilMs: number): string {
    return formatDuration((untilMs - (this.#sinceMs ?? untilMs)) / 1000);
  }
}
