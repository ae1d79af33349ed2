// How far a consumer is while it catches up, after a replay or a long pause: a bar in the terminal, or lines in the log.
import { createProgress, formatCount, formatDuration, type Logger, type Progress, type Service, sleep } from '@tailwater/runtime';
import type { Pipeline } from '../pipeline.js';

const DRAW_MS = 250;
/** Less than this is no catching up. */
const MIN_RECORDS = 1000;
/** What took less is not worth a line in the log. */
const MIN_SECONDS = 10;
/** Below this rate the time left cannot be told: the target takes nothing at the moment. */
const MIN_PER_SECOND = 1;
/** The rate is that of about so many seconds. */
const RATE_SECONDS = 10;

export function catchUpDisplay(pipeline: Pipeline, stream: NodeJS.WriteStream, logger: Logger): Service {
  return {
    async run(signal) {
      let bar: { readonly progress: Progress; readonly beganAtMs: number } | undefined;
      const rate = new Rate();
      while (!signal.aborted) {
        await sleep(DRAW_MS, signal);
        const { done, left } = pipeline.backlog;
        const perSecond = rate.measure(done, performance.now());
        if (bar === undefined && left >= MIN_RECORDS) {
          bar = { progress: createProgress({ stream, logger, label: 'catching up', unit: 'records' }), beganAtMs: performance.now() };
        }
        if (left > 0) {
          const eta = perSecond >= MIN_PER_SECOND ? { etaSeconds: left / perSecond } : {};
          bar?.progress.update({ done, total: done + left, rate: perSecond, ...eta });
        } else if (bar !== undefined && pipeline.isInStep) {
          const seconds = (performance.now() - bar.beganAtMs) / 1000;
          bar.progress.finish(seconds < MIN_SECONDS ? undefined : `done, ${formatCount(done)} records in ${formatDuration(seconds)}`);
          bar = undefined;
        }
      }
      bar?.progress.finish();
    },
  };
}

/** Records per second, smoothed; begins anew when the count goes back, as it does with other partitions. */
class Rate {
  #done = 0;
  #atMs = performance.now();
  #perSecond = 0;

  measure(done: number, nowMs: number): number {
    const seconds = (nowMs - this.#atMs) / 1000;
    const weight = this.#perSecond === 0 ? 1 : Math.min(1, seconds / RATE_SECONDS);
    if (done >= this.#done && seconds > 0) this.#perSecond += weight * ((done - this.#done) / seconds - this.#perSecond);
    else this.#perSecond = 0;
    this.#done = done;
    this.#atMs = nowMs;
    return this.#perSecond;
  }
}
