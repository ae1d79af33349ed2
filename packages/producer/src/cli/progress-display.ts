// The snapshot's progress bar, and one line of figures every now and then.
import { createProgress, type Logger, sleep } from '@tailwater/runtime';
import type { ProducerState } from '../producer-state.js';

const DRAW_MS = 250;
const REPORT_MS = 30_000;

export class ProgressDisplay {
  readonly #state: ProducerState;
  readonly #stream: NodeJS.WriteStream;
  readonly #logger: Logger;

  constructor(state: ProducerState, stream: NodeJS.WriteStream, logger: Logger) {
    this.#state = state;
    this.#stream = stream;
    this.#logger = logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    let bar: ReturnType<typeof createProgress> | undefined;
    let reportedAtMs = Date.now();
    let publishedBefore = 0;
    while (!signal.aborted) {
      await sleep(DRAW_MS, signal);
      const totals = this.#state.phase === 'standby' ? undefined : this.#state.snapshots()?.totals;
      if (totals?.state === 'running') {
        bar ??= createProgress({ stream: this.#stream, logger: this.#logger, label: 'snapshot', unit: 'documents' });
        bar.update({
          done: totals.documents,
          total: totals.total,
          rate: totals.rate,
          ...(totals.etaSeconds === undefined ? {} : { etaSeconds: totals.etaSeconds }),
        });
      } else if (bar !== undefined) {
        bar.finish(`${totals?.documents ?? 0} documents`);
        bar = undefined;
      }
      const sinceMs = Date.now() - reportedAtMs;
      if (sinceMs < REPORT_MS || this.#state.phase === 'standby') continue;
      const counts = this.#state.counts();
      const published = counts?.eventsPublished ?? 0;
      const perSecond = Math.round(((published - publishedBefore) * 1000) / sinceMs);
      this.#logger.info(
        { position: this.#state.position()?.toString(), events: published, perSecond, unknown: counts?.unknownEntries },
        'Publishing',
      );
      reportedAtMs = Date.now();
      publishedBefore = published;
    }
    bar?.finish('stopped');
  }
}
