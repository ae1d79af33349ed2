// What a target holds, for the repair of what it should not hold. No consumer applies changes meanwhile.

/** One document, as the target names it. */
export interface Held {
  readonly id: string;
  /** The target's own note of the state in which it was seen: a document that changed since is not removed. */
  readonly seen?: Readonly<Record<string, string | number>>;
}

export interface Inventory {
  /** Namespaces whose documents cannot be told apart at the target have an equal place. */
  readonly place: string;
  /** The id at the target for a record key; the one that `scan` gives. */
  idOf(key: string): string;
  /** Everything that the place holds, in portions; nothing when it does not exist. */
  scan(signal: AbortSignal): AsyncIterable<readonly Held[]>;
  /** Removes documents for good; returns how many it was. */
  remove(held: readonly Held[], signal: AbortSignal): Promise<number>;
}
