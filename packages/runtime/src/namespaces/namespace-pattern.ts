// One namespace pattern, `database.collection` with `*` for any text. In the database part a `*` matches no dot because a
// database name has none; in the collection part it matches dots and the empty text.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

export interface NamespaceName {
  readonly database: string;
  readonly collection: string;
}

export interface NamespacePattern {
  readonly text: string;
  readonly database: PartPattern;
  readonly collection: PartPattern;
  /** No `*`: exactly one namespace. */
  readonly plain: boolean;
}

/** The literal pieces between the stars: `['a', '']` is `a*`, `['a']` is the text a. */
export type PartPattern = readonly string[];

/**
 * @param option - where the pattern was given, for the message
 * @throws TailwaterError TW1010 when there is no dot, nothing before it, or nothing behind it
 */
export function parseNamespacePattern(text: string, option: string): NamespacePattern {
  const dot = text.indexOf('.');
  const refuse = (reason: string) =>
    new TailwaterError(errorCodes.BAD_NAMESPACE_PATTERN, { pattern: JSON.stringify(text), option, reason });
  if (dot < 0) throw refuse('there is no dot between database and collection');
  if (dot === 0) throw refuse('there is no database before the dot');
  if (dot === text.length - 1) throw refuse('there is no collection behind the dot');
  const database = text.slice(0, dot).split('*');
  const collection = text.slice(dot + 1).split('*');
  return { text, database, collection, plain: database.length === 1 && collection.length === 1 };
}

/** How many `*` the pattern has. */
export const starCount = (pattern: NamespacePattern): number => pattern.database.length + pattern.collection.length - 2;

export function matchesNamespace(pattern: NamespacePattern, database: string, collection: string): boolean {
  return matchesPart(pattern.database, database) && matchesPart(pattern.collection, collection);
}

/** The literal pieces in order, the first at the start and the last at the end; linear, whatever the number of stars. */
function matchesPart(pieces: PartPattern, text: string): boolean {
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}

/** What the one `*` of a part stood for, when the part matches the text. */
export function starText(pieces: PartPattern, text: string): string {
  return text.slice((pieces[0] ?? '').length, text.length - (pieces.at(-1) ?? '').length);
}
