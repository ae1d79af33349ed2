// Every recorded entry, of every version, against what its parsed form says it is.
import { recordKeyOf } from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, it } from 'vitest';
import { type Change, EVERYTHING, Normalizing } from '../support/normalizing.js';
import { type RecordedEntry, recordedEntries, recordings } from '../support/recorded-entries.js';

const KNOWN_COMMANDS = new Set([
  'create',
  'drop',
  'dropDatabase',
  'createIndexes',
  'dropIndexes',
  'startIndexBuild',
  'commitIndexBuild',
  'abortIndexBuild',
  'collMod',
]);

/** What one operation must become; `fields` is the operation, `entry` where its position and time are. */
function expected(fields: BSON.Document, entry: BSON.Document, ordinal = 0): Change {
  const { op, ns, o, o2 } = fields;
  const { t, i } = entry['ts'] as BSON.Timestamp;
  const { _id } = op === 'u' ? o2 : o;
  const kind = op === 'i' ? 'insert' : op === 'd' ? 'delete' : String(Object.keys(o)[0]).startsWith('$') ? 'update' : 'replace';
  const wall = entry['wall'] as Date | undefined;
  return {
    op: kind,
    namespace: ns,
    key: recordKeyOf(_id),
    position: `${t}:${i}${ordinal === 0 ? '' : `:${ordinal}`}`,
    wallTimeMs: wall === undefined ? t * 1000 : wall.getTime(),
    transaction: null,
    id: bytesOfId(_id),
    document: kind === 'insert' || kind === 'replace' ? Buffer.from(BSON.serialize(o)) : undefined,
  };
}

/** The value's bytes: what is left of `{_id: value}` without the length, the type, the name and the ending zero. */
const bytesOfId = (id: unknown): Buffer => Buffer.from(BSON.serialize({ _id: id })).subarray(9, -1);

const isDecidedElsewhere = ({ fields }: RecordedEntry): boolean => fields['o'].prepare === true;

function expectedChanges({ fields }: RecordedEntry): Change[] {
  if ('iud'.includes(fields['op'])) return [expected(fields, fields)];
  const operations = fields['op'] === 'c' ? (fields['o'].applyOps as BSON.Document[] | undefined) : undefined;
  return (operations ?? []).map((operation, ordinal) => expected(operation, fields, ordinal));
}

const count = (entries: readonly RecordedEntry[], is: (entry: RecordedEntry) => boolean): number => entries.filter(is).length;
const commandOf = ({ fields }: RecordedEntry): string => (fields['op'] === 'c' ? (Object.keys(fields['o'])[0] as string) : '');

describe.each(recordings())('%s', (recording) => {
  const entries = recordedEntries(recording);

  it('yields each operation with its key, position, time and bytes', () => {
    const changes = new Normalizing(EVERYTHING).take(...entries.map(({ source }) => source)).changes();
    expect(changes).toEqual(entries.filter((entry) => !isDecidedElsewhere(entry)).flatMap(expectedChanges));
  });

  it('accounts for every entry', () => {
    const { counters, rows } = new Normalizing(EVERYTHING).take(...entries.map(({ source }) => source));
    expect(counters.noops).toBe(count(entries, ({ fields }) => fields['op'] === 'n'));
    expect(counters.commands).toBe(count(entries, (entry) => KNOWN_COMMANDS.has(commandOf(entry))));
    expect(counters.events).toBe(rows.length);
    expect(counters.filtered).toBe(0);
    const unknown = {
      'prepared transaction': count(entries, isDecidedElsewhere),
      'command commitTransaction': count(entries, (entry) => commandOf(entry) === 'commitTransaction'),
    };
    expect(Object.fromEntries(counters.unknownByKind)).toEqual(
      Object.fromEntries(Object.entries(unknown).filter(([, times]) => times > 0)),
    );
  });

  it('copies nothing', () => {
    const { rows } = new Normalizing(EVERYTHING).take(...entries.map(({ source }) => source));
    for (const document of rows.document.slice(0, rows.length)) {
      if (document !== undefined) expect(entries.some(({ source }) => source.buffer === document.buffer)).toBe(true);
    }
  });

  it('keeps to the rules', () => {
    const { counters, rows } = new Normalizing({ ...EVERYTHING, includes: () => false }).take(...entries.map(({ source }) => source));
    expect(rows.length).toBe(0);
    expect(rows.commands).toEqual([]);
    expect(counters.filtered).toBe(counters.events);
  });
});
