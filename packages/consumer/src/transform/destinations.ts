// Where the changes of a namespace go: to a namespace of the same name, or to the renamed one. Two namespaces that end on
// one name would overwrite each other's documents, so both are refused (promise E), unless the configuration asks for it. Every process of a group
// must decide the same, whichever partitions it has and whenever it starts: so what counts is all the namespaces that there are, and not
// the order in which this process met them.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';

interface Clash {
  readonly first: string;
  readonly second: string;
  readonly index: string;
}

/** Resolves each namespace once; the answer for one namespace is always the same object. */
export class Destinations {
  readonly #rename: (namespace: Namespace) => Namespace;
  readonly #nameOf: (destination: Namespace) => string;
  /** By the object first: a topic's changes all carry the same one. */
  readonly #resolved = new Map<Namespace, Namespace>();
  readonly #bySource = new Map<string, Namespace>();
  readonly #firstByName = new Map<string, { readonly source: string; readonly destination: Namespace }>();
  readonly #merging: boolean;
  /** By source, the other one that would be written to the same place. */
  #clashes: ReadonlyMap<string, Clash> = new Map();
  /** All that there are, once they were given. */
  #known: ReadonlySet<string> | undefined;

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

  /** Says which namespaces there are; a later word replaces an earlier one. */
  know(namespaces: readonly Namespace[]): void {
    if (this.#merging) return;
    const byPlace = new Map<string, Set<string>>();
    for (const source of namespaces) {
      const place = this.#placeOf(source);
      if (place === undefined) continue;
      byPlace.set(place, (byPlace.get(place) ?? new Set()).add(formatNamespace(source)));
    }
    const clashes = new Map<string, Clash>();
    for (const [index, sources] of byPlace) {
      const [first, second] = [...sources].sort();
      if (first === undefined || second === undefined) continue;
      for (const source of sources) clashes.set(source, { first, second: source === first ? second : source, index });
    }
    this.#known = new Set(namespaces.map(formatNamespace));
    this.#clashes = clashes;
    // Objects that were given out stay the same ones; those of clashing namespaces are not given out any more.
    for (const source of this.#resolved.keys()) if (clashes.has(formatNamespace(source))) this.#resolved.delete(source);
  }

  /** Undefined when it can have none: that is told when a change is to go there. */
  #placeOf(source: Namespace): string | undefined {
    try {
      return this.#nameOf(this.#rename(source));
    } catch {
      return undefined;
    }
  }

  #resolve(source: Namespace): Namespace {
    const name = formatNamespace(source);
    const clash = this.#clashes.get(name);
    if (clash !== undefined) throw new TailwaterError(errorCodes.INDEX_NAME_COLLISION, { ...clash });
    const known = this.#bySource.get(name);
    if (known !== undefined) return known;
    const renamed = this.#rename(source);
    const destination = formatNamespace(renamed) === name ? source : renamed;
    const index = this.#nameOf(destination);
    const before = this.#firstByName.get(index);
    // One that is gone, or would clash by now, keeps no other out.
    const isPast = before !== undefined && !this.#merging && this.#known?.has(name) === true;
    const first = before === undefined || isPast ? { source: name, destination } : before;
    if (first.source !== name && !this.#merging)
      throw new TailwaterError(errorCodes.INDEX_NAME_COLLISION, { first: first.source, second: name, index });
    this.#firstByName.set(index, first);
    this.#bySource.set(name, first.destination);
    return first.destination;
  }
}
