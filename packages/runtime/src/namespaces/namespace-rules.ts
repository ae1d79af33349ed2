// Which namespaces are replicated, and under which name: the rules that mongo-connector's users know.
//
// - Exclude beats include. Without an include everything is included. A rename includes nothing by itself.
// - In rename a plain name beats a wildcard, and wildcards count in order of declaration.
// - Never replicated: `system.*` collections, and the databases admin, config and local; nor the temporary collections that the
//   server fills and renames when it moves a collection between databases, makes it capped, or writes the result of $out or mapReduce.

import { TailwaterError } from '../errors/tailwater-error.js';
import { matchesNamespace, type NamespaceName, type NamespacePattern, parseNamespacePattern, starCount } from './namespace-pattern.js';
import { RenameTable } from './rename-table.js';

export interface NamespaceRulesOptions {
  /** Patterns with one `*` at most. Empty or absent: everything. */
  readonly include?: readonly string[];
  /** Patterns with any number of `*`. */
  readonly exclude?: readonly string[];
  /** From pattern to pattern, the `*` on both sides in the same part. */
  readonly rename?: Readonly<Record<string, string>>;
}

export interface NamespaceRules {
  includes(database: string, collection: string): boolean;
  /**
   * The name at the target; the namespace's own when no rule names it.
   *
   * @throws TailwaterError TW1011 when another namespace was already given that name, TW1010 when a wildcard leaves an empty name
   */
  rename(namespace: NamespaceName): NamespaceName;
}

const SYSTEM_DATABASES: ReadonlySet<string> = new Set(['admin', 'config', 'local']);
const SYSTEM_COLLECTION = 'system.';
const TEMPORARY_COLLECTION = /^tmp(?:\.agg_out\.|\.mr\.|[A-Za-z0-9]{5}\.(?:renameCollection$|convertToCapped\.))/;

/** @throws TailwaterError TW1010 for a bad pattern, TW1011 when two plain names would get one name at the target */
export function compileNamespaceRules(options: NamespaceRulesOptions): NamespaceRules {
  const include = (options.include ?? []).map((text) => parseInclude(text));
  const exclude = (options.exclude ?? []).map((text) => parseNamespacePattern(text, 'exclude'));
  const isIncluded = includes(include, exclude);
  const plainIncludes = include.filter(({ plain }) => plain).map(({ text }) => text);
  const names = new RenameTable(
    options.rename ?? {},
    plainIncludes.filter((name) => isIncluded(...split(name))),
  );
  return { includes: isIncluded, rename: (namespace) => names.rename(namespace) };
}

function includes(include: readonly NamespacePattern[], exclude: readonly NamespacePattern[]): NamespaceRules['includes'] {
  return (database, collection) => {
    if (SYSTEM_DATABASES.has(database) || collection.startsWith(SYSTEM_COLLECTION)) return false;
    if (collection.startsWith('tmp') && TEMPORARY_COLLECTION.test(collection)) return false;
    if (exclude.some((pattern) => matchesNamespace(pattern, database, collection))) return false;
    return include.length === 0 || include.some((pattern) => matchesNamespace(pattern, database, collection));
  };
}

function parseInclude(text: string): NamespacePattern {
  const pattern = parseNamespacePattern(text, 'include');
  if (starCount(pattern) > 1) {
    throw new TailwaterError('TW1010', { pattern: JSON.stringify(text), option: 'include', reason: 'an include takes one * at most' });
  }
  return pattern;
}

function split(name: string): [database: string, collection: string] {
  const dot = name.indexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}
