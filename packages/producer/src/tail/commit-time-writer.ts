// Says every second how far the source is committed. The checkpoint's position says up to where everything is published; with the two a consumer knows whether
// anything is missing, also while nothing is written (docs/adr/0045-end-to-end-watermark.md).
import { randomUUID } from 'node:crypto';
import { type Clock, type Logger, sleep, systemClock } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import { timeMessage } from '../checkpoint/checkpoint-record.js';
import type { OrderedWriter } from '../writer/ordered-writer.js';

const INTERVAL_MS = 1000;
const ANSWER_TIMEOUT_MS = 5000;

export interface CommitTimeWriterDependencies {
  readonly writer: Pick<OrderedWriter, 'writeTime'>;
  /** The newest position that a majority of the members holds. */
  readonly committed: (signal: AbortSignal) => Promise<Position>;
  /** The source's name in checkpoints. */
  readonly source: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export class CommitTimeWriter {
  readonly #deps: CommitTimeWriterDependencies;
  readonly #clock: Clock;
  readonly #session = randomUUID();

  constructor(deps: CommitTimeWriterDependencies) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /** Until the signal aborts. MongoDB is asked again only once the last record is committed: a reader may conclude from two of them what came between. */
  async run(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await sleep(INTERVAL_MS, signal)) {
      const committed = await this.#committed(signal);
      if (committed === undefined || signal.aborted) continue;
      await this.#deps.writer.writeTime(
        (before) => timeMessage(this.#deps.source, { committed, ...before, writtenAtMs: this.#clock.now(), session: this.#session }),
        signal,
      );
    }
  }

  async #committed(signal: AbortSignal): Promise<Position | undefined> {
    try {
      return await this.#deps.committed(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]));
    } catch (error) {
      // What watches MongoDB tells of it; without this record readers know less, and nothing wrong.
      if (!signal.aborted) this.#deps.logger.debug({ err: error }, 'MongoDB did not say how far it is committed');
      return undefined;
    }
  }
}
