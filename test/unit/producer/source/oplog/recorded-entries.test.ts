// Every recorded entry, of every version, against what its parsed form says it is.
import { recordKeyOf } from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, it } from 'vitest';
import { type Change, EVERYTHING, Normalizing } from '#test/unit/producer/support/normalizing.js';
import { type RecordedEntry, recordedEntries, recordings } from '#test/unit/producer/support/recorded-entries.js';

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
  'commitTransaction',
]);

/** What one operation must become; `fields` is the operation, `entry` where its position and time are. */
function expected(fields: BSON.Document, entry: BSON.Document, ordinal = 0, transaction: Change['transaction'] = null): Change {
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
    transaction,
    id: bytesOfId(_id),
    document: kind === 'insert' || kind === 'replace' ? Buffer.from(BSON.serialize(o)) : undefined,
  };
}

/** The value's bytes: what is left of `{_id: value}` without the length, the type, the name and the ending zero. */
const bytesOfId = (id: unknown): Buffer => Buffer.from(BSON.serialize({ _id: id })).subarray(9, -1);

const isDecidedElsewhere = ({ fields }: RecordedEntry): boolean => fields['o'].prepare === true;

function expectedChanges({ fields }: RecordedEntry, entries: readonly RecordedEntry[]): Change[] {
  if ('iud'.includes(fields['op'])) return [expected(fields, fields)];
  if (fields['op'] !== 'c') return [];
  const { applyOps, commitTransaction } = fields['o'];
  if (commitTransaction !== undefined) return committed(fields, entries);
  return ((applyOps ?? []) as BSON.Document[]).map((operation, ordinal) => expected(operation, fields, ordinal));
}

/** The operations that were prepared, at the position of the commit. */
function committed(commit: BSON.Document, entries: readonly RecordedEntry[]): Change[] {
  const prepared = entries.find(({ fields }) => fields['ts'].equals(commit['prevOpTime'].ts));
  const { id } = commit['lsid'] as { id: BSON.UUID };
  const transaction = `${Buffer.from(id.buffer).toString('hex')}:${commit['txnNumber']}`;
  const operations: BSON.Document[] = prepared?.fields['o'].applyOps ?? [];
  return operations.map((operation, index) => expected(operation, commit, index, { id: transaction, index }));
}

const count = (entries: readonly RecordedEntry[], is: (entry: RecordedEntry) => boolean): number => entries.filter(is).length;
const commandOf = ({ fields }: RecordedEntry): string => (fields['op'] === 'c' ? (Object.keys(fields['o'])[0] as string) : '');

describe.each(recordings())('%s', (recording) => {
  const entries = recordedEntries(recording);

  it('yields each operation with its key, position, time and bytes', () => {
    const changes = new Normalizing(EVERYTHING).take(...entries.map(({ source }) => source)).changes();
    expect(changes).toEqual(entries.filter((entry) => !isDecidedElsewhere(entry)).flatMap((entry) => expectedChanges(entry, entries)));
  });

  it('accounts for every entry', () => {
    const { counters, rows } = new Normalizing(EVERYTHING).take(...entries.map(({ source }) => source));
    expect(counters.noops).toBe(count(entries, ({ fields }) => fields['op'] === 'n'));
    expect(counters.commands).toBe(count(entries, (entry) => KNOWN_COMMANDS.has(commandOf(entry))));
    expect(counters.events).toBe(rows.length);
    expect(counters.filtered).toBe(0);
    expect([...counters.unknownByKind.keys()]).toEqual([]);
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
