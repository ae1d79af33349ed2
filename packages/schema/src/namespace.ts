// A MongoDB namespace: a database and a collection.

export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/**
 * Splits `db.coll` at its first dot: a database name has none, a collection name may.
 *
 * @returns undefined when there is no dot, or nothing before or after it
 */
export function parseNamespace(text: string): Namespace | undefined {
  const dot = text.indexOf('.');
  if (dot <= 0 || dot === text.length - 1) return undefined;
  return { database: text.slice(0, dot), collection: text.slice(dot + 1) };
}

export function formatNamespace(namespace: Namespace): string {
  return `${namespace.database}.${namespace.collection}`;
}
