// Reads while the last batch is on its way to Kafka, and hands on all that has come meanwhile as one batch when that has arrived.
// Handed on earlier, every reply, however small, would wait for a transaction of its own and for those before it: at a few
// hundred events a second that queue was a third of an event's delay.
import { Notifier } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { ChangeSource, EntryBatch } from '../source/source.js';

/** A batch of so many entries is handed on at once: preparing it overlaps with sending the one before it. */
const FULL_ENTRIES = 2000;

/**
 * What the source reads behind `after`, in its order; consecutive reads that brought entries are joined.
 *
 * @param untilFree - resolves when nothing is on its way; never rejects
 * @param fullBytes - a batch of so many is handed on at once, too, and nothing more is read while it waits
 * @throws what the source throws, behind what it read before
 */
export async function* readAhead(
  source: ChangeSource,
  after: Position,
  untilFree: () => Promise<void>,
  fullBytes: number,
  signal: AbortSignal,
): AsyncGenerator<EntryBatch> {
  const stop = new AbortController();
  const waiting = new WaitingReads(fullBytes);
  const reading = readInto(waiting, source.read(after, AbortSignal.any([signal, stop.signal])));
  reading.catch(() => {}); // Awaited below; a failure while the last batch is worked on must not count as unhandled.
  try {
    while (true) {
      await waiting.first();
      if (waiting.mayGrow) await Promise.race([untilFree(), waiting.grown()]);
      const batch = waiting.take();
      if (batch === undefined) break;
      yield batch;
    }
    await reading;
  } finally {
    stop.abort(new Error('The source is no longer read'));
    waiting.close();
    await reading.catch(() => {});
  }
}

async function readInto(waiting: WaitingReads, reads: AsyncGenerator<EntryBatch>): Promise<void> {
  try {
    for await (const batch of reads) {
      waiting.put(batch);
      await waiting.room();
    }
  } finally {
    waiting.close();
  }
}

interface JoinedReads extends EntryBatch {
  readonly entries: Buffer[];
}

/** What was read and not handed on: entries, and behind them at most one read that brought none. */
class WaitingReads {
  #reads: JoinedReads[] = [];
  #bytes = 0;
  #taken = 0;
  #isClosed = false;
  readonly #changed = new Notifier();
  readonly #fullBytes: number;

  constructor(fullBytes: number) {
    this.#fullBytes = fullBytes;
  }

  put(batch: EntryBatch): void {
    // Of the reads that brought nothing, only the last says something.
    if (this.#reads.at(-1)?.entries.length === 0) this.#reads.pop();
    const last = this.#reads.at(-1);
    if (last === undefined || batch.entries.length === 0) this.#reads.push({ ...batch, entries: [...batch.entries] });
    else {
      for (const entry of batch.entries) last.entries.push(entry);
      this.#reads[this.#reads.length - 1] = { ...batch, entries: last.entries };
    }
    for (const entry of batch.entries) this.#bytes += entry.length;
    this.#changed.notify();
  }

  /** The oldest of it; undefined when nothing is left and nothing will come. */
  take(): EntryBatch | undefined {
    const first = this.#reads.shift();
    if (first !== undefined && first.entries.length > 0) this.#bytes = 0;
    this.#taken += 1;
    this.#changed.notify();
    return first;
  }

  /** Nothing more is put. */
  close(): void {
    this.#isClosed = true;
    this.#changed.notify();
  }

  /** Whether what is to be taken next may still become more: an empty read has nothing to wait for. */
  get mayGrow(): boolean {
    return (this.#reads[0]?.entries.length ?? 0) > 0 && !this.#isFull && !this.#isClosed;
  }

  get #isFull(): boolean {
    return (this.#reads[0]?.entries.length ?? 0) >= FULL_ENTRIES || this.#bytes >= this.#fullBytes;
  }

  first(): Promise<void> {
    return this.#until(() => this.#reads.length > 0);
  }

  room(): Promise<void> {
    return this.#until(() => !this.#isFull);
  }

  /** Resolves when it grows no more; or is taken, so that no caller is left waiting. */
  grown(): Promise<void> {
    const taken = this.#taken;
    return this.#until(() => !this.mayGrow || this.#taken !== taken);
  }

  async #until(isMet: () => boolean): Promise<void> {
    await this.#changed.until(() => isMet() || this.#isClosed);
  }
}
