// How far the tail has come, for those who wait on it: a snapshot's chunk goes out behind everything up to its position.
import { Notifier } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';

/** Behind the oplog's newest entry by no more than this, the tail counts as near, in seconds of oplog time. */
const NEAR_SECONDS = 10;
/** A read that brought fewer entries than this, and fewer bytes, has reached the oplog's end. */
const FULL_READ_ENTRIES = 2000;
const FULL_READ_BYTES = 1024 * 1024;

export class TailProgress {
  #end: Position;
  #isWhole = false;
  #near = false;
  readonly #advanced = new Notifier();

  constructor(start: Position) {
    this.#end = start;
  }

  /** Everything at or before it was handed to the publisher. */
  get end(): Position {
    return this.#end;
  }

  /** Everything at or before this entry, all operations of its transaction included, was handed to the publisher; undefined while more of it may follow. */
  get wholeEntry(): Position | undefined {
    return this.#isWhole ? new Position(this.#end.t, this.#end.i) : undefined;
  }

  /** Whether the tail's progress is waited for. */
  get isAwaited(): boolean {
    return this.#advanced.isAwaited;
  }

  /** Called when a read's entries, of so many bytes together, were handed to the publisher. */
  advance(end: Position, entries: number, isWhole: boolean, bytes = 0): void {
    this.#end = end;
    this.#isWhole = isWhole;
    // A reply of the server is bounded in both: of large documents it holds few.
    const isFull = entries >= FULL_READ_ENTRIES || bytes >= FULL_READ_BYTES;
    this.#near = !isFull || Date.now() / 1000 - end.t <= NEAR_SECONDS;
    this.#advanced.notify();
  }

  /**
   * Resolves when the tail has passed `position`: positions are those of entries, which the tail comes to on an idle source too. That
   * a read found nothing says less: the member that it was read from may not have come to the position yet.
   */
  passed(position: Position, signal: AbortSignal): Promise<void> {
    return this.#wait(() => this.#covers(position), signal);
  }

  /** Resolves when the tail is near the oplog's end: a snapshot yields to a tail that is catching up. */
  near(signal: AbortSignal): Promise<void> {
    return this.#wait(() => this.#near, signal);
  }

  /** An end inside an entry, whose other operations may follow, has not passed that entry. */
  #covers(position: Position): boolean {
    const end = this.#end;
    const isInside = !this.#isWhole && end.ordinal > position.ordinal && end.t === position.t && end.i === position.i;
    return end.compare(position) >= 0 && !isInside;
  }

  async #wait(isMet: () => boolean, signal: AbortSignal): Promise<void> {
    if (!(await this.#advanced.until(isMet, signal))) throw signal.reason;
  }
}
