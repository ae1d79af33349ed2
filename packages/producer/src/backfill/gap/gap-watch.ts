// Sees to it that a gap is noted as healed when every copy and every sweep that it asked for is done.
import { type Logger, sleep } from '@tailwater/runtime';
import { type GapRecord, gapMessage } from '../../checkpoint/checkpoint-record.js';
import type { OrderedWriter } from '../../writer/ordered-writer.js';
import type { GapView } from './gaps.js';

const LOOK_MS = 250;

export interface GapWatchDependencies {
  readonly writer: Pick<OrderedWriter, 'writeCheckpoint'>;
  readonly view: GapView;
  readonly source: string;
  /** Whether a copy or a sweep is under way or waiting. */
  readonly isBusy: () => boolean;
  readonly logger: Logger;
}

export class GapWatch {
  readonly #deps: GapWatchDependencies;
  readonly #gap: GapRecord | undefined;

  constructor(deps: GapWatchDependencies, gap: GapRecord | undefined) {
    this.#deps = deps;
    this.#gap = gap;
  }

  /** Returns when there is no gap left to heal. */
  async run(signal: AbortSignal): Promise<void> {
    const { writer, view, source, isBusy, logger } = this.#deps;
    if (this.#gap === undefined || this.#gap.healedAtMs !== null) return;
    while (isBusy()) {
      await sleep(LOOK_MS, signal);
      if (signal.aborted) return;
    }
    const healed = { ...this.#gap, healedAtMs: Date.now() };
    await writer.writeCheckpoint(() => [gapMessage(source, healed)]);
    view.gap = healed;
    const seconds = (healed.healedAtMs - healed.detectedAtMs) / 1000;
    logger.info({ from: healed.from, to: healed.to, seconds }, 'The gap is healed: every topic is a copy of its collection again');
  }
}
