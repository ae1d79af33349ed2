// Finds a field of a raw document by its dotted path, through subdocuments; a shard key has no field inside an array.
import { BsonCursor, BsonType, type RawValue } from '@tailwater/schema';

const cursor = new BsonCursor();

/** Where the value is; undefined if absent. */
export function findPath(source: Buffer, path: readonly Buffer[]): RawValue | undefined {
  let start = 0;
  for (const [depth, name] of path.entries()) {
    cursor.enter(source, start);
    let found = false;
    while (!found && cursor.next()) found = cursor.isNamed(name);
    if (!found) return undefined;
    if (depth === path.length - 1) return { type: cursor.type, start: cursor.valueStart, end: cursor.valueEnd };
    if (cursor.type !== BsonType.object) return undefined;
    start = cursor.valueStart;
  }
  return undefined;
}
