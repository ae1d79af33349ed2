// Where the changes of a namespace go: to a namespace of the same name, or to the renamed one. Two namespaces that end on
// one name would overwrite each other's documents, so the second is refused (promise E), unless somebody asked for it.
import { TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';

/** Resolves each namespace once; the answer for one namespace is always the same object. */
export class Destinations {
  readonly #rename: (namespace: Namespace) => Namespace;
  readonly #nameOf: (destination: Namespace) => string;
  /** By the object first: a topic's changes all carry the same one. */
  readonly #resolved = new Map<Namespace, Namespace>();
  readonly #bySource = new Map<string, Namespace>();
  readonly #firstByName = new Map<string, { readonly source: string; readonly destination: Namespace }>();
  readonly #merging: boolean;

  /**
   * @param nameOf what the target calls a namespace
   * @param merging whether several may go to one name; they share one object then, so that a key is one key wherever it comes from
   */
  constructor(rename: (namespace: Namespace) => Namespace, nameOf: (destination: Namespace) => string = formatNamespace, merging = false) {
    this.#rename = rename;
    this.#nameOf = nameOf;
    this.#merging = merging;
  }

  /** @throws TailwaterError TW1306 when another namespace already goes where this one would */
  of(source: Namespace): Namespace {
    const resolved = this.#resolved.get(source) ?? this.#resolve(source);
    this.#resolved.set(source, resolved);
    return resolved;
  }

  #resolve(source: Namespace): Namespace {
    const name = formatNamespace(source);
    const known = this.#bySource.get(name);
    if (known !== undefined) return known;
    const renamed = this.#rename(source);
    const destination = formatNamespace(renamed) === name ? source : renamed;
    const index = this.#nameOf(destination);
    const first = this.#firstByName.get(index) ?? { source: name, destination };
    if (first.source !== name && !this.#merging) throw new TailwaterError('TW1306', { first: first.source, second: name, index });
    this.#firstByName.set(index, first);
    this.#bySource.set(name, first.destination);
    return first.destination;
  }
}
