// The form of namespaces before mongo-connector 2.5: the lists include, exclude and gridfs, and a mapping.
import type { NamespaceEntry, Namespaces } from './namespace-entry.js';
import { isObject, type Reader } from './reader.js';

/** What is mapped, or a GridFS bucket, is included by that. */
export function readOldNamespaces(part: Reader): Namespaces {
  const include = distinct(part, 'include');
  const exclude = distinct(part, 'exclude');
  const gridfs = distinct(part, 'gridfs');
  const mapping = readMapping(part);
  const [other] = part.unread;
  if (other !== undefined) part.fail(`namespaces mixes its old form (include, exclude, mapping, gridfs) with the new one (${other})`);
  const names = new Set([...include, ...mapping.keys(), ...gridfs]);
  const included = Array.from(names, (name): [string, NamespaceEntry] => {
    const rename = mapping.get(name);
    return [name, { ...(rename === undefined ? {} : { rename }), ...(gridfs.includes(name) ? { gridfs: true } : {}) }];
  });
  return { included: new Map(included), excluded: exclude };
}

function distinct(part: Reader, key: string): readonly string[] {
  const list = part.list(key);
  const twice = list.find((name, index) => list.indexOf(name) !== index);
  if (twice !== undefined) part.fail(`namespaces.${key} names ${twice} twice`);
  return list;
}

function readMapping(part: Reader): Map<string, string> {
  const mapping = part.any('mapping') ?? {};
  if (!isObject(mapping)) part.fail('namespaces.mapping must be an object of names by name');
  return new Map(
    Object.entries(mapping).map(([from, to]): [string, string] => {
      if (typeof to !== 'string') part.fail(`namespaces.mapping must give ${from} a name`);
      return [from, to];
    }),
  );
}
