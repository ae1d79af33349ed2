// What a change stream is opened on, and what the server leaves out of it: as narrow as the namespace rules let it be, so
// that a user needs rights on those namespaces only, and events of others never leave the server.
import { type NamespacePattern, parseNamespacePattern } from '@tailwater/runtime';
import type { Document } from 'mongodb';

/** The database and collection that are watched; without a collection the whole database, without either the cluster. */
export interface StreamScope {
  readonly database?: string;
  readonly collection?: string;
}

export interface NamespacePatterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const isPlain = (part: readonly string[]): boolean => part.length === 1;

export function scopeOf({ include }: NamespacePatterns): StreamScope {
  const patterns = include.map((text) => parseNamespacePattern(text, 'include'));
  const first = patterns[0];
  if (first === undefined || !patterns.every(({ database }) => isPlain(database) && database[0] === first.database[0])) return {};
  const database = first.database[0] as string;
  return patterns.length === 1 && first.plain ? { database, collection: first.collection[0] as string } : { database };
}

/**
 * The stage that leaves out events of namespaces that are not included. Commands on a whole database pass, and a rename when
 * either of its two names is included.
 */
export function matchStage({ include, exclude }: NamespacePatterns): Document | undefined {
  if (include.length === 0 && exclude.length === 0) return undefined;
  const wanted = include.map((text) => parseNamespacePattern(text, 'include'));
  const unwanted = exclude.map((text) => parseNamespacePattern(text, 'exclude'));
  const matches = (field: 'ns' | 'to'): Document => ({
    $and: [
      { [`${field}.coll`]: { $exists: true } },
      ...(wanted.length === 0 ? [] : [{ $or: wanted.map((pattern) => condition(field, pattern)) }]),
      ...(unwanted.length === 0 ? [] : [{ $nor: unwanted.map((pattern) => condition(field, pattern)) }]),
    ],
  });
  return { $match: { $or: [matches('ns'), matches('to'), { operationType: { $in: ['dropDatabase', 'invalidate'] } }] } };
}

const condition = (field: string, { database, collection }: NamespacePattern): Document => ({
  [`${field}.db`]: partCondition(database),
  [`${field}.coll`]: partCondition(collection),
});

function partCondition(pieces: readonly string[]): unknown {
  if (pieces.length === 1) return pieces[0];
  return { $regex: `^${pieces.map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('.*')}$`, $options: 's' };
}
