// The first field of a command entry's `o` names the command; its value names what it works on.
import { BsonCursor, BsonType, readString } from '@tailwater/schema';

export interface Command {
  readonly name: string;
  /** The first field's value when it is a string, such as the collection of `drop`. */
  readonly text: string;
  /** `to` of a renameCollection. */
  readonly to: string;
  readonly valueStart: number;
}

const cursor = new BsonCursor();

/** Reads the command document at `start`. */
export function readCommand(source: Buffer, start: number): Command {
  cursor.enter(source, start);
  if (!cursor.next()) return { name: '', text: '', to: '', valueStart: start };
  const name = cursor.name();
  const valueStart = cursor.valueStart;
  const text = cursor.type === BsonType.string ? readString(source, valueStart) : '';
  let to = '';
  if (name === 'renameCollection') while (cursor.next()) if (cursor.name() === 'to') to = readString(source, cursor.valueStart);
  return { name, text, to, valueStart };
}

/** Commands that change no document, nor which collections there are. */
const WITHOUT_EFFECT = new Set([
  'abortTransaction', // What it prepared never happened.
  'dropDatabase', // The drop of each collection stands in the oplog before it.
  'createIndexes',
  'dropIndexes',
  'deleteIndex', // As old servers name dropIndexes.
  'deleteIndexes',
  'startIndexBuild',
  'commitIndexBuild',
  'abortIndexBuild',
  'collMod',
  'dbCheck',
  'createGlobalIndex',
  'dropGlobalIndex',
  'modifyCollectionShardingIndexCatalog',
  'createDatabaseMetadata',
  'dropDatabaseMetadata',
]);

export function isWithoutEffect(name: string): boolean {
  return WITHOUT_EFFECT.has(name);
}
