// Tells a target that refuses a document from one that refuses everything: a proxy's error page is no reason to put one document
// after the other aside.

/** So many requests with one document each are refused in a row before it is the target that is held to be wrong. */
const LIMIT = 100;

export class RefusalStreak {
  #length = 0;

  /** The target answered a request as it should. */
  answered(): void {
    this.#length = 0;
  }

  /**
   * A request with a single document was refused as a whole.
   *
   * @throws the error itself when too many were refused in a row
   */
  refused(error: unknown): void {
    this.#length += 1;
    if (this.#length > LIMIT) throw error;
  }
}
