// Suggests the name that was probably meant by one that does not exist.

/** `, did you mean prefix?`, or nothing when no known name is near. */
export function suggest(unknown: string, known: readonly string[]): string {
  const nearest = nearestOf(unknown, known);
  return nearest === undefined ? '' : `, did you mean ${nearest}?`;
}

/** The known name with the fewest typing mistakes, if they are few; spelling with dashes, underscores and capitals counts as none. */
export function nearestOf(unknown: string, known: readonly string[]): string | undefined {
  const plain = simplify(unknown);
  const limit = Math.max(1, Math.floor(plain.length / 3));
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const distance = mistakes(plain, simplify(name));
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

const simplify = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, '');

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function mistakes(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced);
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
