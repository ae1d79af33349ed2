// The configuration that is built: a tree of plain values, as a file of Tailwater holds it.

export type Tree = { [key: string]: unknown };

/** Sets `producer.snapshot.mode`; what is undefined is left out. */
export function put(tree: Tree, path: string, value: unknown): void {
  if (value === undefined) return;
  const keys = path.split('.');
  const last = keys.pop() ?? path;
  let at = tree;
  for (const key of keys) {
    at[key] ??= {};
    at = at[key] as Tree;
  }
  at[last] = value;
}

/** A list, unless it is empty. */
export const someOf = <Value>(list: readonly Value[]): readonly Value[] | undefined => (list.length === 0 ? undefined : list);
