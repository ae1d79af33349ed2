// Where the changes of a namespace go: to a namespace of the same name, or to the renamed one. Two namespaces that end on
// one name would overwrite each other's documents, so the second is refused (promise E).
import { TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';

/** Resolves each namespace once; the answer for one namespace is always the same object. */
export class Destinations {
  readonly #rename: (namespace: Namespace) => Namespace;
  readonly #nameOf: (destination: Namespace) => string;
  /** By the object first: a topic's changes all carry the same one. */
  readonly #resolved = new Map<Namespace, Namespace>();
  readonly #bySource = new Map<string, Namespace>();
  readonly #sourceByName = new Map<string, string>();

  /** @param nameOf what the target calls a namespace, in which two must not be equal */
  constructor(rename: (namespace: Namespace) => Namespace, nameOf: (destination: Namespace) => string = formatNamespace) {
    this.#rename = rename;
    this.#nameOf = nameOf;
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
    const first = this.#sourceByName.get(index);
    if (first !== undefined) throw new TailwaterError('TW1306', { first, second: name, index });
    this.#sourceByName.set(index, name);
    this.#bySource.set(name, destination);
    return destination;
  }
}
