// Finds an entry's namespace by its raw bytes and remembers whether it is included, so that a busy namespace that nobody
// asked for costs a comparison of bytes and nothing else.
import type { NamespaceRules } from '@tailwater/runtime';
import { parseNamespace } from '@tailwater/schema';
import type { TrackedNamespace } from './change-batch.js';

export class NamespaceTable {
  readonly #rules: NamespaceRules;
  readonly #byName = new Map<string, TrackedNamespace>();
  #last: TrackedNamespace | undefined;
  #lastBytes = Buffer.alloc(0);

  constructor(rules: NamespaceRules) {
    this.#rules = rules;
  }

  /** The namespace whose name is the bytes `source[start, end)`. Neighbouring entries mostly share one. */
  atBytes(source: Buffer, start: number, end: number): TrackedNamespace {
    if (this.#last !== undefined && end - start === this.#lastBytes.length && this.#lastBytes.compare(source, start, end) === 0)
      return this.#last;
    this.#last = this.byName(source.toString('utf8', start, end));
    this.#lastBytes = Buffer.from(source.subarray(start, end));
    return this.#last;
  }

  byName(name: string): TrackedNamespace {
    let tracked = this.#byName.get(name);
    if (tracked === undefined) {
      const namespace = parseNamespace(name);
      tracked =
        namespace === undefined
          ? { name, database: name, collection: '', included: false }
          : { name, ...namespace, included: this.#rules.includes(namespace.database, namespace.collection) };
      this.#byName.set(name, tracked);
    }
    return tracked;
  }
}
