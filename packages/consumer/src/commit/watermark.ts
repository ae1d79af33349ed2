// How far a partition is applied: the offset before which every change has ended. Changes end in any order; the watermark
// never passes one that has not (promise A's twin on this side of Kafka: commit only after apply).

const COMPACT_AFTER = 4096;

export class Watermark {
  #offsets: number[] = [];
  #ended: boolean[] = [];
  #head = 0;
  /** The sequence number of the entry at index 0. */
  #base = 0;
  #next: number | undefined;

  /** The offset to go on from: everything before it has ended. Undefined until something has. */
  get next(): number | undefined {
    return this.#next;
  }

  /** How many changes have begun and not ended, or wait for an earlier one. */
  get pending(): number {
    return this.#offsets.length - this.#head;
  }

  /**
   * A change of this offset begins. Offsets come in rising order, except that reading may go back and come again from there.
   *
   * @returns the number by which to end it
   */
  begin(offset: number): number {
    this.#offsets.push(offset);
    this.#ended.push(false);
    return this.#base + this.#offsets.length - 1;
  }

  /** The change with this number has ended. */
  end(sequence: number): void {
    this.#ended[sequence - this.#base] = true;
    this.#advance();
  }

  /** Everything up to and including `offset` that has not begun needs nothing: markers, aborted or control records. */
  skip(offset: number): void {
    if (this.pending === 0) this.#next = offset + 1;
    else this.end(this.begin(offset));
  }

  #advance(): void {
    while (this.#ended[this.#head] === true) {
      this.#next = (this.#offsets[this.#head] as number) + 1;
      this.#head += 1;
    }
    if (this.#head < COMPACT_AFTER && this.#head < this.#offsets.length) return;
    this.#base += this.#head;
    this.#offsets = this.#offsets.slice(this.#head);
    this.#ended = this.#ended.slice(this.#head);
    this.#head = 0;
  }
}
