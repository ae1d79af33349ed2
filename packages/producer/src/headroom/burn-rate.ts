// How fast the oplog is written. MongoDB counts no such bytes, but the oplog's size and its oldest entry tell: it grows until
// it is full, and from then on loses at its end what is written at its beginning.
import type { OplogWindow } from '../source/oplog/oplog-window.js';

/** Rates are measured over so long, in milliseconds: mongod truncates in large pieces. */
const SPAN_MS = 5 * 60_000;
/** Over less than this there is nothing to see, in milliseconds. */
const MIN_SPAN_MS = 5000;

interface Sample {
  readonly atMs: number;
  readonly writtenBytes: number;
}

export class BurnRate {
  #samples: Sample[] = [];
  #previous: OplogWindow | undefined;
  #writtenBytes = 0;

  /** @param atMs - of the monotonic clock */
  add(window: OplogWindow, atMs: number): void {
    const { size } = window;
    if (size === undefined) return;
    const before = this.#previous;
    if (before?.size !== undefined) {
      const windowSeconds = Math.max(1, before.newest.t - before.oldest.t);
      const truncated = Math.max(0, window.oldest.t - before.oldest.t) * (before.size.usedBytes / windowSeconds);
      this.#writtenBytes += Math.max(0, size.usedBytes - before.size.usedBytes + truncated);
    }
    this.#previous = window;
    this.#samples.push({ atMs, writtenBytes: this.#writtenBytes });
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= SPAN_MS);
  }

  /** Bytes a second; undefined before enough was seen. */
  get bytesPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < MIN_SPAN_MS) return undefined;
    return ((last.writtenBytes - first.writtenBytes) * 1000) / (last.atMs - first.atMs);
  }
}
