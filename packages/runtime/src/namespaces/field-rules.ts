// Which fields of a namespace's documents are replicated, as mongo-connector's users know it: fields named for every namespace and those
// named for this one unite; a plain name beats a wildcard, and wildcards count in order of declaration; a namespace has either fields
// to include or fields to exclude. `db.collection:*` names no field, but has the namespace decided there: what a wildcard further on says
// does not count for it. A colon of a collection's name is written `\:`, and so is one of a field's name where it would end a namespace.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { matchesNamespace, type NamespacePattern, parseNamespacePattern } from './namespace-pattern.js';

/** Dotted paths. `_id` is kept in any case. */
export interface FieldSelection {
  readonly mode: 'include' | 'exclude';
  readonly paths: readonly string[];
}

export interface FieldRulesOptions {
  /** Each `path`, or `database.collection:path` for the namespaces that the pattern matches. */
  readonly includeFields?: readonly string[];
  readonly excludeFields?: readonly string[];
}

/** Undefined: all fields. */
export type FieldRules = (database: string, collection: string) => FieldSelection | undefined;

interface Rule {
  readonly pattern: NamespacePattern;
  readonly paths: { readonly include: string[]; readonly exclude: string[] };
}

/** Stands for every field, behind a namespace. */
const ALL = '*';

const OPTIONS = { include: '--include-fields', exclude: '--exclude-fields' } as const;

/**
 * @throws TailwaterError TW1015 when both are given for every namespace, TW1370 when a namespace gets both, TW1371 for a path that is
 *   none, TW1010 for a bad pattern
 */
export function compileFieldRules(options: FieldRulesOptions): FieldRules {
  const everywhere = { include: [] as string[], exclude: [] as string[] };
  const rules = new Map<string, Rule>();
  for (const mode of ['include', 'exclude'] as const) {
    for (const text of options[`${mode}Fields`] ?? []) {
      const { pattern, path } = parseEntry(text, mode);
      if (pattern === undefined) everywhere[mode].push(path);
      else {
        const rule = rules.get(pattern.text) ?? { pattern, paths: { include: [], exclude: [] } };
        rules.set(pattern.text, rule);
        if (path !== ALL) rule.paths[mode].push(path);
      }
    }
  }
  if (everywhere.include.length > 0 && everywhere.exclude.length > 0)
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, {
      first: OPTIONS.include,
      second: OPTIONS.exclude,
      reason: 'a field that is in neither could be meant to stay or to go',
    });
  const selections = [...rules.values()].map(({ pattern, paths }) => ({
    pattern,
    selection: select(pattern.text, union(everywhere, paths)),
  }));
  const general = select('', everywhere);
  const ordered = [...selections.filter(({ pattern }) => pattern.plain), ...selections.filter(({ pattern }) => !pattern.plain)];
  return (database, collection) => {
    const rule = ordered.find(({ pattern }) => matchesNamespace(pattern, database, collection));
    return rule === undefined ? general : rule.selection;
  };
}

const union = (one: Rule['paths'], other: Rule['paths']): Rule['paths'] => ({
  include: [...new Set([...one.include, ...other.include])],
  exclude: [...new Set([...one.exclude, ...other.exclude])],
});

function select(namespace: string, { include, exclude }: Rule['paths']): FieldSelection | undefined {
  if (include.length > 0 && exclude.length > 0) throw new TailwaterError(errorCodes.FIELDS_INCLUDED_AND_EXCLUDED, { namespace });
  if (include.length > 0) return { mode: 'include', paths: include };
  return exclude.length > 0 ? { mode: 'exclude', paths: exclude } : undefined;
}

const COLON = /(?<!\\):/;
const unescaped = (text: string): string => text.replaceAll('\\:', ':');
const escaped = (text: string): string => text.replaceAll(':', '\\:');

/** An entry for a field of the namespaces that the pattern matches; without a pattern for a field of all. */
export function fieldEntry(pattern: string | undefined, path: string): string {
  if (pattern !== undefined) return `${escaped(pattern)}:${path}`;
  return path.search(COLON) > path.indexOf('.') && path.includes('.') ? escaped(path) : path;
}

/** A colon ends a namespace only where something with a dot stands before it: field names may hold colons too. */
function parseEntry(text: string, mode: 'include' | 'exclude'): { readonly pattern: NamespacePattern | undefined; readonly path: string } {
  const colon = text.search(COLON);
  const hasNamespace = colon > 0 && text.lastIndexOf('.', colon) >= 0;
  const path = unescaped(hasNamespace ? text.slice(colon + 1) : text);
  if (path.split('.').includes(''))
    throw new TailwaterError(errorCodes.BAD_FIELD_PATH, { path: JSON.stringify(path), option: OPTIONS[mode] });
  return { pattern: hasNamespace ? parseNamespacePattern(unescaped(text.slice(0, colon)), OPTIONS[mode]) : undefined, path };
}
