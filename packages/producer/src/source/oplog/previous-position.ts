// Where the entry before this one in its chain is: `prevOpTime`, which the operations of one transaction, and the statements of
// one retryable write, are linked by.
import { BsonCursor, Position } from '@tailwater/schema';

const PREV_OP_TIME = Buffer.from('prevOpTime');
const TS = Buffer.from('ts');

const fields = new BsonCursor();

/** Undefined for the first entry of a chain, and for entries that are in none. */
export function previousPosition(entry: Buffer): Position | undefined {
  fields.enter(entry, 0);
  while (fields.next()) if (fields.isNamed(PREV_OP_TIME)) return positionOf(entry, fields.valueStart);
  return undefined;
}

/** The position of the optime document `{ts, t}` that begins at `start`; the first of a chain points to zero. */
export function positionOf(source: Buffer, start: number): Position | undefined {
  fields.enter(source, start);
  while (fields.next()) {
    if (!fields.isNamed(TS)) continue;
    const [i, t] = [source.readUInt32LE(fields.valueStart), source.readUInt32LE(fields.valueStart + 4)];
    return t === 0 && i === 0 ? undefined : new Position(t, i);
  }
  return undefined;
}
