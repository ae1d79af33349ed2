// Finds an entry's namespace by its raw bytes and remembers whether it is included, so that a busy namespace that nobody
// asked for costs a comparison of bytes and nothing else.
import type { CompiledNamespaceRules, NamespaceRules } from '@tailwater/runtime';
import { type Namespace, parseNamespace } from '@tailwater/schema';
import type { TrackedNamespace } from './change-batch.js';

type Rules = NamespaceRules & Partial<Pick<CompiledNamespaceRules, 'gridFsPart'>>;

const FILES = '.files';
/** Names that nobody asked for are remembered for speed alone: each `$out`, mapReduce and reshape has temporary ones of its own. */
const MAX_EXCLUDED = 10_000;

export class NamespaceTable {
  readonly #rules: Rules;
  readonly #byName = new Map<string, TrackedNamespace>();
  readonly #excluded = new Map<string, TrackedNamespace>();
  #last: TrackedNamespace | undefined;
  #lastBytes = Buffer.alloc(0);

  constructor(rules: Rules) {
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
    const known = this.#byName.get(name) ?? this.#excluded.get(name);
    if (known !== undefined) return known;
    const namespace = parseNamespace(name);
    const tracked = namespace === undefined ? { name, database: name, collection: '', included: false } : this.#track(name, namespace);
    if (tracked.included) {
      this.#byName.set(name, tracked);
    } else {
      if (this.#excluded.size >= MAX_EXCLUDED) this.#excluded.clear();
      this.#excluded.set(name, tracked);
    }
    return tracked;
  }

  #track(name: string, namespace: Namespace): TrackedNamespace {
    const { database, collection } = namespace;
    const included = this.#rules.includes(database, collection);
    if (this.#rules.gridFsPart?.(database, collection) !== 'files') return { name, database, collection, included };
    return { name, database, collection, included, chunks: `${collection.slice(0, -FILES.length)}.chunks` };
  }
}
