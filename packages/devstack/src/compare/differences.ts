// Two collections of documents side by side, by id and by content. Counts prove nothing: a lost document and a
// duplicated one make the right count.

export interface Differences {
  readonly compared: number;
  /** Ids of the source that the target lacks. */
  readonly missing: string[];
  /** Ids of the target that the source lacks. */
  readonly extra: string[];
  /** Ids whose contents differ. */
  readonly different: string[];
}

/** Compares contents by key; `render` gives what is compared of a content. */
export function compareByKey<S, T>(
  source: ReadonlyMap<string, S>,
  target: ReadonlyMap<string, T>,
  isEqual: (source: S, target: T) => boolean,
): Differences {
  const missing: string[] = [];
  const different: string[] = [];
  for (const [key, expected] of source) {
    const actual = target.get(key);
    if (actual === undefined) missing.push(key);
    else if (!isEqual(expected, actual)) different.push(key);
  }
  const extra = [...target.keys()].filter((key) => !source.has(key));
  return { compared: source.size, missing, extra, different };
}

/** How many documents differ, in any way. */
export const countDifferences = ({ missing, extra, different }: Differences): number => missing.length + extra.length + different.length;
