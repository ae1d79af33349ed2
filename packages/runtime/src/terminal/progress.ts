// How far a long piece of work is: a bar on a terminal, a log line now and then everywhere else.
import cliProgress from 'cli-progress';
import { type Clock, systemClock } from '../async/clock.js';
import type { Logger } from '../logging/logger.js';
import { formatCount, formatDuration, formatRate } from '../text/format.js';

const LOG_INTERVAL_MS = 30_000;
const DRAW_INTERVAL_MS = 100;
const BAR_WIDTH = 24;
/** A bar that is shorter shows nothing. */
const MIN_BAR_WIDTH = 6;
const CLEAR_REST = '\u001b[K';

export interface ProgressState {
  readonly done: number;
  /** Absent while unknown: then there is no bar, no percentage and no ETA. */
  readonly total?: number;
  /** Units per second. */
  readonly rate?: number;
  readonly etaSeconds?: number;
}

export interface Progress {
  update(state: ProgressState): void;
  /** Removes the bar and logs the summary, if there is anything to say. */
  finish(summary?: string): void;
}

export interface ProgressOptions {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly logger: Logger;
  /** What is being done: `snapshot`. */
  readonly label: string;
  /** What is counted: `documents`. */
  readonly unit: string;
  readonly clock?: Clock;
}

export function createProgress(options: ProgressOptions): Progress {
  return options.stream.isTTY === true ? new BarProgress(options) : new LogProgress(options);
}

/**
 * Draws on the line that the cursor is on. cli-progress makes the bar; its own drawing saves and restores the cursor, which
 * would overwrite log lines that come in between.
 */
class BarProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #clock: Clock;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  update(state: ProgressState): void {
    const now = this.#clock.monotonic();
    if (now - this.#drawnAt < DRAW_INTERVAL_MS) return;
    this.#drawnAt = now;
    const { stream, label, unit } = this.#options;
    const columns = (stream.columns ?? 80) - 1;
    const text = describe(state, unit);
    // The figures are what counts: the bar takes the room that they leave.
    const width = Math.min(BAR_WIDTH, columns - label.length - text.length - 2);
    const bar = state.total === undefined || width < MIN_BAR_WIDTH ? '' : ` ${formatBar(state.done / Math.max(state.total, 1), width)}`;
    // A line that wraps could not be drawn over.
    stream.write(`\r${`${label}${bar} ${text}`.slice(0, columns)}${CLEAR_REST}`);
  }

  finish(summary?: string): void {
    if (this.#drawnAt !== Number.NEGATIVE_INFINITY) this.#options.stream.write(`\r${CLEAR_REST}`);
    if (summary !== undefined) this.#options.logger.info(`${this.#options.label}: ${summary}`);
  }
}

function formatBar(share: number, width: number): string {
  const style = { ...cliProgress.Presets.shades_classic, barsize: width };
  return cliProgress.Format.BarFormat(Math.max(0, Math.min(share, 1)), {
    ...style,
    barGlue: '',
    barCompleteString: style.barCompleteChar.repeat(width),
    barIncompleteString: style.barIncompleteChar.repeat(width),
  });
}

class LogProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #clock: Clock;
  #loggedAt: number;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#loggedAt = this.#clock.monotonic();
  }

  update(state: ProgressState): void {
    const now = this.#clock.monotonic();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt = now;
    const { logger, label, unit } = this.#options;
    logger.info({ ...state }, `${label}: ${describe(state, unit)}`);
  }

  finish(summary?: string): void {
    if (summary !== undefined) this.#options.logger.info(`${this.#options.label}: ${summary}`);
  }
}

/** `45 % | 1,234 of 2,700 documents | 300/s | 5 s left` */
function describe({ done, total, rate, etaSeconds }: ProgressState, unit: string): string {
  const parts: string[] = [];
  if (total !== undefined) parts.push(`${total === 0 ? 100 : Math.min(100, Math.floor((done * 100) / total))} %`);
  parts.push(total === undefined ? `${formatCount(done)} ${unit}` : `${formatCount(done)} of ${formatCount(total)} ${unit}`);
  if (rate !== undefined) parts.push(formatRate(rate));
  if (etaSeconds !== undefined && Number.isFinite(etaSeconds)) parts.push(`${formatDuration(etaSeconds)} left`);
  return parts.join(' | ');
}
