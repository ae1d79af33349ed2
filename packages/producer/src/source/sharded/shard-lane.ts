// The oplog of one shard on its way into the merge: entries that wait there until every other shard has come so far.
import { Notifier } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { entryTimestamp } from '../oplog/oplog-cursor.js';
import type { ChangeSource } from '../source.js';

/** Entries that wait in one lane at most, besides their bytes; a shard that is ahead of the others is read no further. */
const MAX_WAITING = 10_000;

/** In the place of an entry that was handed on: the lane keeps no bytes of it. */
const TAKEN = Buffer.alloc(0);

/** Behind every entry that there can be. */
const NEVER = new Position(0xffff_ffff, 0xffff_ffff);

interface LanePlace {
  readonly from: Position;
  readonly after: Position;
  /** Of a shard that has left the cluster: what it writes behind this time does not belong to the cluster. */
  readonly until?: Position | undefined;
}

export class ShardLane {
  /** Everything of this shard at or before it has been read. */
  end: Position;
  /** The position of the next entry; undefined when none waits. */
  head: Position | undefined;
  readonly #source: ChangeSource;
  readonly #onRead: () => void;
  readonly #maxBytes: number;
  readonly #after: Position;
  readonly #until: Position;
  #waiting: Buffer[] = [];
  #next = 0;
  #bytes = 0;
  readonly #drained = new Notifier();

  /**
   * @param from - the position of an entry of this shard, behind which it is read
   * @param after - entries up to there were handed on before: a member that lagged when it was asked for `from` repeats some of them
   * @param maxBytes - that may wait before it is read further
   */
  constructor(source: ChangeSource, { from, after, until }: LanePlace, maxBytes: number, onRead: () => void) {
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#after = after;
    this.#until = until ?? NEVER;
    this.end = from;
    this.#onRead = onRead;
  }

  /** Reads on until the signal aborts, or until nothing of the shard counts any more. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const { entries, end } of this.#source.read(this.end, signal)) {
      const isLast = end.compare(this.#until) >= 0;
      const mayRepeat = this.end.compare(this.#after) < 0;
      for (const entry of entries) {
        if (mayRepeat && entryTimestamp(entry).compare(this.#after) <= 0) continue;
        if (isLast && entryTimestamp(entry).compare(this.#until) > 0) break;
        this.#waiting.push(entry);
        this.#bytes += entry.length;
      }
      this.#look();
      // No reader has to wait for it any more.
      this.end = isLast ? NEVER : end;
      this.#onRead();
      if (isLast) return;
      while (this.#isFull && !signal.aborted) await this.#drained.next(signal);
    }
  }

  /** Takes the next entry out. */
  take(): Buffer {
    const entry = this.#waiting[this.#next] as Buffer;
    this.#waiting[this.#next++] = TAKEN;
    this.#bytes -= entry.length;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      this.#drained.notify();
    }
    this.head = undefined;
    this.#look();
    return entry;
  }

  get #isFull(): boolean {
    return this.#waiting.length - this.#next > MAX_WAITING || this.#bytes > this.#maxBytes;
  }

  #look(): void {
    const next = this.#waiting[this.#next];
    if (this.head === undefined && next !== undefined) this.head = entryTimestamp(next);
  }
}
