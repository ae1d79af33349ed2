// namespaces, fields, exclude_fields: what is replicated, under which name, and with which fields.
//
// For mongo-connector the first rule that matches a namespace decides its name and its fields alike: a plain one before a wildcard,
// wildcards in order. Here renames and fields are separate lists, so a namespace that has neither, and would be caught by the
// wildcard of another, gets an entry that says so.

import { errorCodes, fieldEntry, matchesNamespace, parseNamespacePattern, TailwaterError } from '@tailwater/runtime';
import type { NamespaceEntry, Namespaces } from './namespace-entry.js';
import type { Notices } from './notices.js';
import { readOldNamespaces } from './old-namespaces.js';
import { isObject, Reader } from './reader.js';
import { put, someOf, type Tree } from './tree.js';

const OLD_KEYS: readonly string[] = ['include', 'exclude', 'mapping', 'gridfs'];

export function convertNamespaces(config: Reader, file: string, tree: Tree, notices: Notices): void {
  const ofAll = (key: string): string[] => config.list(key).map((path) => fieldEntry(undefined, path));
  const [fields, excludeFields] = [ofAll('fields'), ofAll('exclude_fields')];
  if (fields.length > 0 && excludeFields.length > 0) config.fail('fields and exclude_fields do not go together');
  const { included, excluded } = readNamespaces(config.part('namespaces'), file, notices);
  for (const name of excluded) if (included.has(name)) config.fail(`namespaces both includes and excludes ${name}`);
  const gridfs = [...included].filter(([, entry]) => entry.gridfs === true).map(([name]) => name);
  for (const name of gridfs) {
    if (name.includes('*')) throw wildcardBucket(name);
    const rename = included.get(name)?.rename;
    if (rename !== undefined && rename !== name) config.fail(`namespaces renames the GridFS bucket ${name}`);
  }
  put(tree, 'namespaces.include', someOf([...included.keys()]), 'namespaces');
  put(tree, 'namespaces.exclude', someOf([...excluded, ...filesOf(included, gridfs)]), 'namespaces');
  put(tree, 'namespaces.gridfs', someOf(gridfs), 'namespaces');
  const renames = renamesOf(included);
  put(tree, 'namespaces.rename', renames.length === 0 ? undefined : Object.fromEntries(renames), 'namespaces');
  const byNamespace = fieldsOf(included);
  put(tree, 'namespaces.fields.include', someOf([...fields, ...byNamespace.include]), fields.length > 0 ? 'fields' : 'namespaces');
  const excluding = someOf([...excludeFields, ...byNamespace.exclude]);
  put(tree, 'namespaces.fields.exclude', excluding, excludeFields.length > 0 ? 'exclude_fields' : 'namespaces');
}

/**
 * What belongs to GridFS is left out by mongo-connector unless the bucket is marked. An exclusion would beat the mark, so where there
 * is one the documents about the files of other buckets come along.
 */
function filesOf(included: Entries, gridfs: readonly string[]): string[] {
  if (included.size > 0 && ![...included.keys()].some((name) => name.includes('*'))) return [];
  return gridfs.length > 0 ? ['*.*.chunks'] : ['*.*.chunks', '*.*.files'];
}

const wildcardBucket = (name: string): TailwaterError =>
  new TailwaterError(errorCodes.BAD_NAMESPACE_PATTERN, {
    pattern: JSON.stringify(name),
    option: 'namespaces',
    reason: 'GridFS buckets are named one by one, without a *',
  });

function readNamespaces(part: Reader, file: string, notices: Notices): Namespaces {
  const keys = part.keys();
  const isOld = keys.some((key) => OLD_KEYS.includes(key));
  if (isOld) return readOldNamespaces(part);
  const included = new Map<string, NamespaceEntry>();
  const excluded: string[] = [];
  for (const name of keys) {
    const value = part.any(name);
    if (isObject(value)) included.set(name, readEntry(new Reader(value, file, `${part.name(name)}.`), notices));
    else if (typeof value === 'string' && value !== '') included.set(name, { rename: value });
    else if (value === true || value === 1) included.set(name, {});
    else if (value === undefined || value === false || value === 0 || value === '') excluded.push(name);
    else part.fail(`namespaces.${name} must be true, false, a name, or an object`);
  }
  return { included, excluded };
}

function readEntry(part: Reader, notices: Notices): NamespaceEntry {
  const rename = part.text('rename');
  const [includeFields, excludeFields] = [part.list('includeFields'), part.list('excludeFields')];
  const gridfs = part.flag('gridfs') === true;
  notices.ignored(part.unread);
  return { ...(rename === undefined || rename === '' ? {} : { rename }), includeFields, excludeFields, gridfs };
}

type Entries = Namespaces['included'];

function renamesOf(included: Entries): [string, string][] {
  const isRenamed = ({ rename }: NamespaceEntry) => rename !== undefined;
  const renamed = [...included].filter(([name, { rename }]) => rename !== undefined || isCaughtBy(name, included, isRenamed));
  return renamed.map(([name, { rename }]) => [name, rename ?? name]);
}

function fieldsOf(included: Entries): { include: string[]; exclude: string[] } {
  const hasFields = ({ includeFields = [], excludeFields = [] }: NamespaceEntry) => includeFields.length + excludeFields.length > 0;
  const wildcards = [...included].some(([name, entry]) => name.includes('*') && hasFields(entry));
  const lists: { include: string[]; exclude: string[] } = { include: [], exclude: [] };
  for (const [name, entry] of included) {
    // An entry for all fields keeps the order of the rules, which both lists have in common.
    if (wildcards && included.size > 1 && (hasFields(entry) || isCaughtBy(name, included, hasFields)))
      lists.include.push(fieldEntry(name, '*'));
    lists.include.push(...(entry.includeFields ?? []).map((field) => fieldEntry(name, field)));
    lists.exclude.push(...(entry.excludeFields ?? []).map((field) => fieldEntry(name, field)));
  }
  return lists;
}

/** Whether the wildcard of another entry, one that `counts`, may match what the name names. */
function isCaughtBy(name: string, included: Entries, counts: (entry: NamespaceEntry) => boolean): boolean {
  return [...included].some(([other, entry]) => {
    if (other === name || !other.includes('*') || !counts(entry)) return false;
    if (name.includes('*')) return mayOverlap(name, other);
    const pattern = parseNamespacePattern(name, 'namespaces');
    return matchesNamespace(parseNamespacePattern(other, 'namespaces'), pattern.database.join('*'), pattern.collection.join('*'));
  });
}

/** Whether two patterns with a * each may match one name, going by what stands before the *. */
function mayOverlap(one: string, other: string): boolean {
  const [first = '', second = ''] = [one, other].map((text) => text.slice(0, text.indexOf('*')));
  return first.startsWith(second) || second.startsWith(first);
}
