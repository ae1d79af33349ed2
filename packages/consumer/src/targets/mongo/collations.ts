// Collections whose index of ids is not the simple one: by the collation `{locale: 'en', strength: 1}` the ids `A` and `a` are one. Statements
// state the simple collation, so none meets another document than its own; but such a place cannot hold both, and every statement by
// text would read all of it.
import type { Namespace } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { Change } from '../../changes/change.js';
import { isUnauthorized } from './failures.js';

/** How long, in milliseconds, a place that folds ids is taken to do so. */
const RECHECK_MS = 5_000;

export class Collations {
  readonly #client: MongoClient;
  /** Places that were looked at; those that fold ids with the time until which they are held to. */
  readonly #known = new Map<Namespace, number | undefined>();

  constructor(client: MongoClient) {
    this.#client = client;
  }

  /** Those of the namespaces of these changes whose place folds ids. */
  async foldingOf(changes: readonly Change[], signal: AbortSignal): Promise<ReadonlySet<Namespace>> {
    const folding = new Set<Namespace>();
    let last: Namespace | undefined;
    for (const { namespace } of changes) {
      if (namespace === last) continue;
      last = namespace;
      if (await this.#folds(namespace, signal)) folding.add(namespace);
    }
    return folding;
  }

  async #folds(namespace: Namespace, signal: AbortSignal): Promise<boolean> {
    if (this.#known.has(namespace)) {
      const until = this.#known.get(namespace);
      if (until === undefined || performance.now() < until) return until !== undefined;
    }
    const folds = await this.#ask(namespace, signal);
    if (folds !== undefined) this.#known.set(namespace, folds ? performance.now() + RECHECK_MS : undefined);
    return folds === true;
  }

  /** The place is another one than it was. */
  forget(namespace: Namespace): void {
    this.#known.delete(namespace);
  }

  /** Undefined when it could not be asked. A server that does not tell this user is trusted: the index refuses the second of two such ids. */
  async #ask({ database, collection }: Namespace, signal: AbortSignal): Promise<boolean | undefined> {
    try {
      const [found] = await this.#client.db(database).listCollections({ name: collection }, { signal }).toArray();
      const { locale } = ((found as { options?: { collation?: { locale?: unknown } } } | undefined)?.options?.collation ?? {}) as {
        locale?: unknown;
      };
      return locale !== undefined && locale !== 'simple';
    } catch (error) {
      if (signal.aborted) throw error;
      return isUnauthorized(error) ? false : undefined;
    }
  }
}

const WITHOUT_TEXT = /^(?:-?\d|true$|false$|null$|\{"\$(?:oid|binary|date|number\w+|timestamp|minKey|maxKey)":)/;

/** Whether a collation can mean something for the id behind a record key. */
export const holdsText = (key: string): boolean => !WITHOUT_TEXT.test(key);
