// The configuration that is built: leaves of Tailwater's tree by their keys, `producer.snapshot.mode`, each with the key it comes from.

export interface TreeEntry {
  readonly value: unknown;
  /** mongo-connector's key: `docManagers[0].bulkSize`. */
  readonly from: string;
}

export type Tree = Map<string, TreeEntry>;

/** Sets a leaf; what is undefined is left out. */
export function put(tree: Tree, key: string, value: unknown, from: string): void {
  if (value !== undefined) tree.set(key, { value, from });
}

/** A list, unless it is empty. */
export const someOf = <Value>(list: readonly Value[]): readonly Value[] | undefined => (list.length === 0 ? undefined : list);
