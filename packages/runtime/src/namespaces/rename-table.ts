// Which name a namespace has at the target. Two namespaces never share one: their documents would overwrite each other.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import {
  matchesNamespace,
  type NamespaceName,
  type NamespacePattern,
  type PartPattern,
  parseNamespacePattern,
  starCount,
  starText,
} from './namespace-pattern.js';

interface RenameRule {
  readonly source: NamespacePattern;
  readonly target: NamespacePattern;
}

const OPTION = 'rename';
const nameOf = ({ database, collection }: NamespaceName): string => `${database}.${collection}`;

export class RenameTable {
  readonly #plain = new Map<string, NamespaceName>();
  readonly #wildcards: readonly RenameRule[];
  /** Which namespace was given a target name, so that a second one is noticed. */
  readonly #sources = new Map<string, string>();
  readonly #renamed = new Map<string, NamespaceName>();
  readonly #merging: boolean;

  /**
   * @param merging - whether several namespaces may get one name, because the configuration asks for it
   * @param keeping - namespaces that are included by their plain name: what no rule renames keeps its name
   * @throws TailwaterError TW1010 for a bad pattern, TW1011 when two plain names get one target
   */
  constructor(rename: Readonly<Record<string, string>>, keeping: readonly string[], merging = false) {
    this.#merging = merging;
    const rules = Object.entries(rename).map(([source, target]) => parseRule(source, target));
    this.#wildcards = rules.filter(({ source }) => !source.plain);
    for (const { source, target } of rules) {
      if (source.plain) this.#plain.set(source.text, { database: target.database.join('*'), collection: target.collection.join('*') });
    }
    for (const [source, target] of this.#plain) this.#claim(nameOf(target), source);
    for (const name of keeping) {
      if (!this.#plain.has(name) && !this.#wildcards.some(({ source }) => matchesName(source, name))) this.#claim(name, name);
    }
  }

  /** The namespaces that a rule names without a wildcard. */
  get plain(): Iterable<string> {
    return this.#plain.keys();
  }

  /** @throws TailwaterError TW1011 when another namespace already has that name, TW1010 when a rule leaves none */
  rename(namespace: NamespaceName): NamespaceName {
    const source = nameOf(namespace);
    let target = this.#renamed.get(source);
    if (target === undefined) {
      target = this.targetOf(namespace);
      this.#claim(nameOf(target), source);
      this.#renamed.set(source, target);
    }
    return target;
  }

  /**
   * What the rules make of a namespace, even if another has that name: a plain rule beats a wildcard; wildcards count in order of declaration.
   *
   * @throws TailwaterError TW1010 when a rule leaves no name
   */
  targetOf(namespace: NamespaceName): NamespaceName {
    const name = nameOf(namespace);
    const plain = this.#plain.get(name);
    if (plain !== undefined) return plain;
    const rule = this.#wildcards.find(({ source }) => matchesNamespace(source, namespace.database, namespace.collection));
    if (rule === undefined) return { database: namespace.database, collection: namespace.collection };
    const target = {
      database: substitute(rule.source.database, rule.target.database, namespace.database),
      collection: substitute(rule.source.collection, rule.target.collection, namespace.collection),
    };
    if (target.database === '' || target.collection === '') {
      throw bad(rule.source.text, `it would rename ${name} to "${nameOf(target)}", which names no collection`);
    }
    return target;
  }

  #claim(target: string, source: string): void {
    if (this.#merging) return;
    const first = this.#sources.get(target);
    if (first !== undefined && first !== source)
      throw new TailwaterError(errorCodes.TARGET_NAME_COLLISION, { first, second: source, target });
    this.#sources.set(target, source);
  }
}

function parseRule(sourceText: string, targetText: string): RenameRule {
  const source = parseNamespacePattern(sourceText, OPTION);
  const target = parseNamespacePattern(targetText, OPTION);
  if (starCount(source) > 1) throw bad(sourceText, 'a rename takes one * at most');
  if (source.database.length !== target.database.length || source.collection.length !== target.collection.length) {
    throw bad(sourceText, `the * must stand in the same part on both sides, but the target is ${JSON.stringify(targetText)}`);
  }
  return { source, target };
}

const bad = (pattern: string, reason: string): TailwaterError =>
  new TailwaterError(errorCodes.BAD_NAMESPACE_PATTERN, { pattern: JSON.stringify(pattern), option: OPTION, reason });

const substitute = (source: PartPattern, target: PartPattern, text: string): string =>
  source.length === 1 ? (target[0] ?? '') : target.join(starText(source, text));

function matchesName(pattern: NamespacePattern, name: string): boolean {
  const dot = name.indexOf('.');
  return matchesNamespace(pattern, name.slice(0, dot), name.slice(dot + 1));
}
