// The snapshot's progress bar, and a line of figures every minute in which something was published.
import { createProgress, formatCount, formatDuration, type Logger, sleep } from '@tailwater/runtime';
import type { SnapshotReport } from '../backfill/snapshot/snapshot-report.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { ProducerState } from '../session/producer-state.js';

const DRAW_MS = 250;
const REPORT_MS = 60_000;

export interface DisplayedState {
  readonly state: ProducerState;
  readonly report: SnapshotReport;
  readonly metrics: ProducerMetrics;
}

export class ProgressDisplay {
  readonly #shown: DisplayedState;
  readonly #stream: NodeJS.WriteStream;
  readonly #logger: Logger;

  constructor(shown: DisplayedState, stream: NodeJS.WriteStream, logger: Logger) {
    this.#shown = shown;
    this.#stream = stream;
    this.#logger = logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { state, report, metrics } = this.#shown;
    let bar: ReturnType<typeof createProgress> | undefined;
    let beganAtMs = 0;
    let reportedAtMs = Date.now();
    let publishedBefore = 0;
    while (!signal.aborted) {
      await sleep(DRAW_MS, signal);
      const totals = state.phase === 'standby' ? undefined : report.totals();
      if (totals?.state === 'running') {
        if (bar === undefined) beganAtMs = performance.now();
        bar ??= createProgress({ stream: this.#stream, logger: this.#logger, label: 'snapshot', unit: 'documents' });
        bar.update({
          done: totals.documents,
          total: totals.total,
          rate: totals.rate,
          ...(totals.etaSeconds === undefined ? {} : { etaSeconds: totals.etaSeconds }),
        });
      } else if (bar !== undefined) {
        const took = formatDuration((performance.now() - beganAtMs) / 1000);
        bar.finish(totals === undefined ? 'left to another producer' : `done, ${formatCount(totals.documents)} documents in ${took}`);
        bar = undefined;
      }
      const sinceMs = Date.now() - reportedAtMs;
      if (sinceMs < REPORT_MS || state.phase === 'standby') continue;
      const { eventsPublished: published, unknownEntries: unknown } = metrics.counts();
      const perSecond = Number((((published - publishedBefore) * 1000) / sinceMs).toFixed(1));
      reportedAtMs = Date.now();
      if (published === publishedBefore) continue;
      publishedBefore = published;
      this.#logger.info({ position: state.session?.position.toString(), events: published, perSecond, unknown }, 'Publishing');
    }
    bar?.finish();
  }
}
