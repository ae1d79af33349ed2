// The recorded oplog entries of test/fixtures/oplog.
import { readdirSync, readFileSync } from 'node:fs';
import { BSON } from 'bson';

const DIRECTORY = new URL('../../../fixtures/oplog/', import.meta.url);
const ENDING = '.ejsonl';

export interface RecordedEntry {
  /** As a server wrote it. */
  readonly source: Buffer;
  /** The same as an object, with the types of the recording. */
  readonly fields: BSON.Document;
}

export function recordings(): string[] {
  const names = readdirSync(DIRECTORY).filter((name) => name.endsWith(ENDING));
  return names.map((name) => name.slice(0, -ENDING.length)).sort();
}

export function recordedEntries(recording: string): RecordedEntry[] {
  const lines = readFileSync(new URL(recording + ENDING, DIRECTORY), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const fields = BSON.EJSON.parse(line, { relaxed: false }) as BSON.Document;
      return { fields, source: Buffer.from(BSON.serialize(fields, { ignoreUndefined: false })) };
    });
}
