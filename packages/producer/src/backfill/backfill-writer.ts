// Publishes what was read of a collection beside the tail, as chunks of a snapshot, refreshed documents and the tombstones of a sweep are. A window of touched keys is opened,
// the collection is read no earlier than the tail has come, and what the tail does not touch meanwhile is published behind everything up to the position of the read
// (promise B; the DBLog algorithm, https://arxiv.org/abs/2010.12597).
import type { Position } from '@tailwater/schema';
import { ChangeBatch, type TrackedNamespace } from '../changes/change-batch.js';
import type { CheckpointMessage } from '../checkpoint/checkpoint-record.js';
import type { TopicRecords } from '../encode/record-encoder.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { SourceHealth } from '../source/mongo/source-health.js';
import type { OrderedWriter } from '../writer/ordered-writer.js';
import type { TailProgress } from '../writer/tail-progress.js';
import type { TouchedKeys, Window } from '../writer/touched-keys.js';
import type { Turn } from '../writer/turn.js';
import { fillFromAbsence, fillFromDocuments, type ReadRows } from './read-rows.js';

/** The position that the tail has come to goes with a backfill's transaction when it was not written for so long, in milliseconds. */
const POSITION_DUE_MS = 500;

export type BackfillOrigin = 'snapshot' | 'refresh' | 'sweep';

/** What was read in a window, on its way to its topic. */
export interface WindowRead {
  readonly window: Window;
  readonly rows: ReadRows;
  /** Checkpoint records that go with the last of it, such as the snapshot's progress. */
  readonly checkpoint: () => CheckpointMessage[];
}

export interface BackfillWriterDependencies {
  readonly writer: OrderedWriter;
  readonly touched: TouchedKeys;
  readonly progress: TailProgress;
  readonly metrics: ProducerMetrics;
  readonly health: Pick<SourceHealth, 'persist'>;
}

export class BackfillWriter {
  readonly #deps: BackfillWriterDependencies;
  readonly #rows = new ChangeBatch();

  constructor(deps: BackfillWriterDependencies) {
    this.#deps = deps;
  }

  /** Resolves when the tail is near the source's end: what runs beside it yields to a tail that is catching up. */
  untilNear(signal: AbortSignal): Promise<void> {
    return this.#deps.progress.near(signal);
  }

  /** From now on what the tail touches of the namespace is remembered, until the window is closed. */
  open(namespace: TrackedNamespace): Window {
    return this.#deps.touched.open(namespace);
  }

  close(window: Window): void {
    this.#deps.touched.close(window);
  }

  /** What was read of a collection is no longer its own: another one has its name, or none. */
  invalidate(namespace: TrackedNamespace): void {
    this.#deps.touched.invalidate(namespace);
  }

  /**
   * Reads, again and again while the source does not answer.
   *
   * @param read - is told the position that the read must not be before: what is published already, by this session or by one before
   */
  read<T>({ namespace, after }: Window, read: (notBefore: Position) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { progress, health } = this.#deps;
    const notBefore = progress.end.compare(after) > 0 ? progress.end : after;
    return health.persist(() => read(notBefore), signal, { namespace: namespace.name });
  }

  /**
   * Publishes what was read, all of it in one transaction where that holds it, behind everything up to the reads' positions.
   *
   * @returns the rows of each read that were published; those whose window is void are left out, and nothing of them was
   */
  async publish(reads: readonly WindowRead[], origin: BackfillOrigin, signal: AbortSignal): Promise<Map<WindowRead, number>> {
    const { writer, progress } = this.#deps;
    for (const { rows } of reads) await progress.passed(rows.position, signal);
    return writer.inTurn((turn) => this.#publishInTurn(turn, reads, origin));
  }

  async #publishInTurn(turn: Turn, reads: readonly WindowRead[], origin: BackfillOrigin): Promise<Map<WindowRead, number>> {
    const { touched } = this.#deps;
    const rows = this.#rows;
    rows.clear();
    for (const { window } of reads) touched.close(window);
    const published = new Map<WindowRead, number>();
    for (const read of reads) if (!read.window.isVoid) published.set(read, this.#fill(rows, read, origin));
    // A chunk of a snapshot that is under way may hold the same documents, as they were before.
    if (origin === 'refresh') touched.touchRows(rows);
    // Only the reads as a whole move a snapshot on: their rows are not in the way of a checkpoint of the tail.
    const behind = (): TopicRecords[] => this.#behind(turn, [...published.keys()]);
    await turn.publish(rows, origin, (next) => (next < rows.length ? [] : behind()));
    if (rows.length === 0 && published.size > 0) await turn.submit(behind());
    rows.release();
    return published;
  }

  #fill(out: ChangeBatch, { window, rows }: WindowRead, origin: BackfillOrigin): number {
    const before = out.length;
    fillFromDocuments(out, window, rows);
    fillFromAbsence(out, window, rows);
    const filled = out.length - before;
    const count = rows.documents.length + (rows.absent?.length ?? 0);
    if (origin !== 'sweep') this.#deps.metrics.snapshotRead(count, count - filled);
    return filled;
  }

  /** The checkpoint records of the reads, and the position of the tail where that is due: here it costs no transaction of its own. */
  #behind(turn: Turn, reads: readonly WindowRead[]): TopicRecords[] {
    const { end } = this.#deps.progress;
    const { written } = turn;
    // What a session begins with is in the checkpoint already.
    const isDue = Number.isFinite(written.ageMs) && written.ageMs >= POSITION_DUE_MS && written.isBefore(end);
    const messages = [...reads.flatMap(({ checkpoint }) => checkpoint()), ...(isDue ? [written.moveTo(end)] : [])];
    return messages.length === 0 ? [] : [turn.checkpoint(...messages)];
  }

  /**
   * Reads and publishes until it is published: once, unless another collection takes the name meanwhile, with documents that the tail has not seen.
   *
   * @returns what was read, and how many rows of it were published
   */
  async readAndPublish<T extends ReadRows>(
    namespace: TrackedNamespace,
    read: (notBefore: Position) => Promise<T>,
    origin: BackfillOrigin,
    signal: AbortSignal,
  ): Promise<{ readonly rows: T; readonly published: number }> {
    while (true) {
      signal.throwIfAborted();
      const window = this.open(namespace);
      try {
        const rows = await this.read(window, read, signal);
        const [published] = (await this.publish([{ window, rows, checkpoint: () => [] }], origin, signal)).values();
        if (published !== undefined) return { rows, published };
      } finally {
        this.close(window);
      }
    }
  }
}
