// Tells documents that a target refuses from a place that refuses documents: a wrong mapping, a missing pipeline or another program's index
// under the name would empty a whole topic into the dead letters, one document after the other.

/** An accepted change weighs as much as so many refused ones: the score grows only while more than 95 of 100 are refused. */
const ACCEPTED_WEIGHS = 19;
/** For a namespace that has had nothing accepted yet, this part of the limit is enough. */
const BEFORE_THE_FIRST = 0.1;

/** The refusals of one namespace, added up as a CUSUM chart does: https://en.wikipedia.org/wiki/CUSUM */
export class RefusalStreak {
  readonly #limit: number;
  #score = 0;
  #hasAccepted = false;

  /** @param limit - so many refusals in a row are too many; 0 for no limit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The target took an upsert. A delete says nothing: it fits every mapping. */
  accepted(): void {
    this.#hasAccepted = true;
    this.#score = Math.max(0, this.#score - ACCEPTED_WEIGHS);
  }

  /** @returns whether these are so many that it is not the documents that are to blame; they do not count as refused then */
  isTooLong(refused: number): boolean {
    if (this.#limit === 0) return false;
    const limit = this.#hasAccepted ? this.#limit : Math.ceil(this.#limit * BEFORE_THE_FIRST);
    if (this.#score + refused < limit) {
      this.#score += refused;
      return false;
    }
    // Full, until something is accepted: a later attempt with few documents must not pass for that reason.
    this.#score = Math.max(this.#score, limit);
    return true;
  }
}
