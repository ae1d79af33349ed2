// Texts and field names of BSON as JSON, without losing any: keys of records and JSON values agree on these two deviations from
// Extended JSON. Bytes that are not UTF-8 are written as such, and a field that is really called `$oid` is written `$$oid`.
import { isUtf8 } from 'node:buffer';
import type { BsonCursor } from '../bson/walk.js';

/** UTF-8 bytes as a JSON string. Bytes that are not UTF-8 all read as the replacement character, and two such texts must not become one. */
export function jsonText(source: Buffer, start: number, end: number): string {
  const text = source.toString('utf8', start, end);
  if (text.includes('\ufffd')) {
    const bytes = source.subarray(start, end);
    if (!isUtf8(bytes)) return `{"$invalidUtf8":"${bytes.toString('base64')}"}`;
  }
  return JSON.stringify(text);
}

/** The BSON string at `start`, behind its length. */
export const jsonString = (source: Buffer, start: number): string => jsonText(source, start + 4, start + 3 + source.readInt32LE(start));

/** The name of the element at the cursor. `{"$oid": …}` is an ObjectId, so a field of that name gets a second `$`. */
export function jsonName(cursor: BsonCursor): string {
  const name = cursor.name();
  if (name.includes('\ufffd')) {
    const bytes = cursor.source.subarray(cursor.nameStart, cursor.nameEnd);
    if (!isUtf8(bytes)) return `"$invalidUtf8:${bytes.toString('base64')}"`;
  }
  return JSON.stringify(name.startsWith('$') ? `$${name}` : name);
}
