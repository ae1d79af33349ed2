// Which namespaces are replicated, and under which name: the rules that mongo-connector's users know.
//
// - Exclude beats include. Without an include everything is included. A rename includes nothing by itself.
// - In rename a plain name beats a wildcard, and wildcards count in order of declaration.
// - A GridFS bucket is two collections, `<bucket>.files` and `<bucket>.chunks`, which belong together and so keep their names. What is
//   replicated of it are its files, with their contents: `<bucket>.files` is included, `<bucket>.chunks` is not.
// - The database admin is replicated where an include names it, without a wildcard in the name.
// - Never replicated: `system.*` collections, and the databases config and local; nor the temporary collections that the
//   server fills and renames when it moves a collection between databases, makes it capped, or writes the result of $out or mapReduce.

import { errorCodes } from '../errors/catalogue.js';
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
  /** Several namespaces may get one name at the target. */
  readonly allowMerge?: boolean;
  /** GridFS buckets, `database.bucket`. */
  readonly gridfs?: readonly string[];
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

export interface CompiledNamespaceRules extends NamespaceRules {
  /** The included namespaces that a rule names without a wildcard: those that are known before anything is read. */
  readonly plain: readonly NamespaceName[];
  /** As `rename`, even if another namespace gets that name. */
  targetOf(namespace: NamespaceName): NamespaceName;
  /** Which part of a marked GridFS bucket the collection is; undefined if it is not part of one. */
  gridFsPart(database: string, collection: string): 'files' | 'chunks' | undefined;
}

const ADMIN = 'admin';
const SYSTEM_DATABASES: ReadonlySet<string> = new Set(['config', 'local']);
const SYSTEM_COLLECTION = 'system.';
const TEMPORARY_COLLECTION = /^tmp(?:\.agg_out\.|\.mr\.|[A-Za-z0-9]{5}\.(?:renameCollection$|convertToCapped\.))/;

/**
 * @throws TailwaterError TW1010 for a bad pattern, TW1011 when two plain names would get one name at the target, TW1372 when a GridFS
 *   bucket would be renamed
 */
export function compileNamespaceRules(options: NamespaceRulesOptions): CompiledNamespaceRules {
  const buckets = options.gridfs ?? [];
  for (const bucket of buckets) checkBucket(bucket);
  const selection = withBuckets(options.include ?? [], options.exclude ?? [], buckets);
  const include = selection.include.map((text) => parseInclude(text));
  const exclude = selection.exclude.map((text) => parseNamespacePattern(text, 'exclude'));
  const isIncluded = includes(include, exclude);
  const isPlainIncluded = (name: string) => isIncluded(...split(name));
  const plainIncludes = include.filter(({ plain }) => plain).map(({ text }) => text);
  const names = new RenameTable(options.rename ?? {}, plainIncludes.filter(isPlainIncluded), options.allowMerge);
  const plain = [...new Set([...plainIncludes, ...names.plain])].filter(isPlainIncluded).map((name) => {
    const [database, collection] = split(name);
    return { database, collection };
  });
  const gridfs = gridFsCollections(buckets, names);
  return {
    includes: isIncluded,
    rename: (namespace) => names.rename(namespace),
    targetOf: (namespace) => names.targetOf(namespace),
    plain,
    gridFsPart: (database, collection) => gridfs.get(`${database}.${collection}`),
  };
}

/**
 * What `--include` and `--exclude` become where buckets are marked: their files are included beside what is named, unless something
 * excludes them, and their chunks are left out.
 */
export function withBuckets(
  include: readonly string[],
  exclude: readonly string[],
  buckets: readonly string[],
): { readonly include: readonly string[]; readonly exclude: readonly string[] } {
  const files = include.length === 0 ? [] : buckets.map((bucket) => `${bucket}.files`);
  return { include: [...include, ...files], exclude: [...exclude, ...buckets.map((bucket) => `${bucket}.chunks`)] };
}

function checkBucket(bucket: string): void {
  const refuse = (reason: string) =>
    new TailwaterError(errorCodes.BAD_NAMESPACE_PATTERN, { pattern: JSON.stringify(bucket), option: 'gridfs', reason });
  if (!parseNamespacePattern(bucket, 'gridfs').plain) throw refuse('it takes no *');
  const collection = /^(.+\..+)\.(?:files|chunks)$/.exec(bucket);
  if (collection !== null) throw refuse(`it takes the bucket, ${collection[1]}, not one of its collections`);
}

function gridFsCollections(buckets: readonly string[], names: RenameTable): Map<string, 'files' | 'chunks'> {
  const collections = new Map<string, 'files' | 'chunks'>();
  for (const bucket of buckets) {
    for (const part of ['files', 'chunks'] as const) {
      const name = `${bucket}.${part}`;
      const [database, collection] = split(name);
      const target = names.targetOf({ database, collection });
      if (target.database !== database || target.collection !== collection)
        throw new TailwaterError(errorCodes.GRIDFS_BUCKET_RENAMED, { bucket, target: `${target.database}.${target.collection}` });
      collections.set(name, part);
    }
  }
  return collections;
}

function includes(include: readonly NamespacePattern[], exclude: readonly NamespacePattern[]): NamespaceRules['includes'] {
  const isAdminNamed = include.some(({ database: [name, ...more] }) => name === ADMIN && more.length === 0);
  return (database, collection) => {
    if (database === ADMIN && !isAdminNamed) return false;
    if (SYSTEM_DATABASES.has(database) || collection.startsWith(SYSTEM_COLLECTION)) return false;
    if (collection.startsWith('tmp') && TEMPORARY_COLLECTION.test(collection)) return false;
    if (exclude.some((pattern) => matchesNamespace(pattern, database, collection))) return false;
    return include.length === 0 || include.some((pattern) => matchesNamespace(pattern, database, collection));
  };
}

function parseInclude(text: string): NamespacePattern {
  const pattern = parseNamespacePattern(text, 'include');
  if (starCount(pattern) > 1) {
    throw new TailwaterError(errorCodes.BAD_NAMESPACE_PATTERN, {
      pattern: JSON.stringify(text),
      option: 'include',
      reason: 'an include takes one * at most',
    });
  }
  return pattern;
}

function split(name: string): [database: string, collection: string] {
  const dot = name.indexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}
