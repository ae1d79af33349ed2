// Reads the source from where the checkpoint stands, and publishes what it brings, as fast as Kafka takes it.
import type { Position } from '@tailwater/schema';
import type { Publisher } from '../publish/publisher.js';
import type { ChangeSource } from '../source/source.js';
import type { Pauses } from '../writer/pauses.js';
import type { TailProgress } from '../writer/tail-progress.js';
import { readAhead } from './read-ahead.js';
import type { TailWriter } from './tail-writer.js';

export interface TailDependencies {
  readonly changes: ChangeSource;
  readonly writer: TailWriter;
  readonly publisher: Publisher;
  readonly progress: TailProgress;
  readonly pauses: Pauses;
  /** Bytes that are read while the batch before them is on its way. */
  readonly readAheadBytes: number;
  /** Whether others know that the tail moves: as long as not, each batch is waited for until it is in Kafka. */
  readonly isConfirmed: () => boolean;
  /** Called when what was read is in Kafka, or would be if the tail were not paused. */
  readonly confirm: () => void;
}

export class Tail {
  readonly #deps: TailDependencies;
  readonly #start: Position;

  /** @param start - what is read is behind it */
  constructor(deps: TailDependencies, start: Position) {
    this.#deps = deps;
    this.#start = start;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { changes, writer, publisher, progress, pauses, readAheadBytes, isConfirmed, confirm } = this.#deps;
    // Small batches wait for what is on its way, unless a backfill waits for the tail.
    const untilFree = (): Promise<void> => (progress.isAwaited ? Promise.resolve() : publisher.idle());
    for await (const batch of readAhead(changes, this.#start, untilFree, readAheadBytes, signal)) {
      if (pauses.current.tail) confirm();
      await pauses.untilResumed('tail', signal);
      if (signal.aborted) break;
      await writer.write(batch);
      await changes.passed?.(batch.end);
      if (isConfirmed()) continue;
      await publisher.flush();
      if (!signal.aborted) confirm();
    }
  }
}
