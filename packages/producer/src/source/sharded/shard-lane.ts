// The oplog of one shard on its way into the merge: entries that wait there until every other shard has come so far.
import { abortable } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import { entryTimestamp } from '../oplog/oplog-cursor.js';
import type { ChangeSource } from '../source.js';

/** Entries that wait in one lane at most; a shard that is ahead of the others is read no further. */
const MAX_WAITING = 10_000;

export class ShardLane {
  /** Everything of this shard at or before it has been read. */
  end: Position;
  /** The position of the next entry; undefined when none waits. */
  head: Position | undefined;
  readonly #source: ChangeSource;
  readonly #onRead: () => void;
  #waiting: Buffer[] = [];
  #next = 0;
  #wake: () => void = () => {};

  /** @param from - the position of an entry of this shard, behind which it is read */
  constructor(source: ChangeSource, from: Position, onRead: () => void) {
    this.#source = source;
    this.end = from;
    this.#onRead = onRead;
  }

  /** Reads on until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const { entries, end } of this.#source.read(this.end, signal)) {
      for (const entry of entries) this.#waiting.push(entry);
      this.#look();
      this.end = end;
      this.#onRead();
      while (this.#waiting.length - this.#next > MAX_WAITING && !signal.aborted) {
        const drained = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await abortable(drained, signal).catch(() => {});
      }
    }
  }

  /** Takes the next entry out. */
  take(): Buffer {
    const entry = this.#waiting[this.#next++] as Buffer;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      this.#wake();
    }
    this.head = undefined;
    this.#look();
    return entry;
  }

  #look(): void {
    const next = this.#waiting[this.#next];
    if (this.head === undefined && next !== undefined) this.head = entryTimestamp(next);
  }
}
