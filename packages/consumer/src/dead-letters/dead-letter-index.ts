// Which dead letters there are, in little memory: two numbers for each. Their topic is then read again for the letters themselves,
// which may be documents of 16 MB.

export class DeadLetterIndex {
  /** By `<topic>/<partition>`, the offset of each record and that of its letter in the topic of dead letters. */
  readonly #places = new Map<string, Map<number, number>>();
  /** Where reading has ended: what came later is not known. */
  end = 0;

  /** The letter that stands at this offset of its topic; one that stood elsewhere was written again. */
  set(id: string, at: number): void {
    const { place, offset } = partsOf(id);
    const ofPlace = this.#places.get(place) ?? new Map<number, number>();
    this.#places.set(place, ofPlace.set(offset, at));
  }

  delete(id: string): void {
    const { place, offset } = partsOf(id);
    this.#places.get(place)?.delete(offset);
  }

  /** Whether what stands at this offset is the letter, and not an earlier state of it. */
  isAt(id: string, at: number): boolean {
    const { place, offset } = partsOf(id);
    return this.#places.get(place)?.get(offset) === at;
  }

  get size(): number {
    let size = 0;
    for (const ofPlace of this.#places.values()) size += ofPlace.size;
    return size;
  }

  /** The offset of the first one in the topic of dead letters. */
  get begin(): number {
    let begin = this.end;
    for (const ofPlace of this.#places.values()) for (const at of ofPlace.values()) begin = Math.min(begin, at);
    return begin;
  }

  *ids(): Generator<string> {
    for (const [place, ofPlace] of this.#places) for (const offset of ofPlace.keys()) yield `${place}/${offset}`;
  }
}

/** An id is `<topic>/<partition>/<offset>`. */
function partsOf(id: string): { readonly place: string; readonly offset: number } {
  const at = id.lastIndexOf('/');
  return { place: id.slice(0, at), offset: Number(id.slice(at + 1)) };
}
