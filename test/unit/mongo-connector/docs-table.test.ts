// docs/from-mongo-connector.md tells what becomes of each key and option of mongo-connector. Each row of its tables is put to the
// converter here, so that none of them lies, and none is missing.
import { readFileSync } from 'node:fs';
import { type Conversion, convertMongoConnector, FOREIGN_OPTIONS, type JsonObject } from '@tailwater/mongo-connector';
import { configOptions, keyOf, TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { mergeCommandLine } from '#mongo-connector/command-line.js';

const PAGE = readFileSync(new URL('../../../docs/from-mongo-connector.md', import.meta.url), 'utf8');
const EXAMPLE = readFileSync(new URL('../../fixtures/mongo-connector/config.json', import.meta.url), 'utf8');

interface Row {
  readonly config: string;
  readonly lines: readonly string[];
  readonly fate: string;
  readonly becomes: string;
  readonly isDocManager: boolean;
}

const spans = (cell: string): string[] => Array.from(cell.matchAll(/`([^`]*)`/g), ([, text = '']) => text);

const rows: readonly Row[] = PAGE.split('\n').flatMap((line, index, lines) => {
  const cells = line.split('|').map((cell) => cell.trim());
  const [, config = '', options = '', fate = '', becomes = ''] = cells;
  if (!line.startsWith('| `"')) return [];
  const header = lines.slice(0, index).findLast((each) => each.startsWith('| `config.json`')) ?? '';
  return [
    {
      config: spans(config)[0] ?? '',
      lines: spans(options),
      fate,
      becomes,
      isDocManager: header.includes('docManagers'),
    },
  ];
});

/** Only files called "here" are there. */
const convert = (config: JsonObject): Conversion =>
  convertMongoConnector({ config, file: 'config.json', exists: (file) => file.startsWith('here') });

const ofFile = ({ config, isDocManager }: Row): JsonObject =>
  JSON.parse(isDocManager ? `{"docManagers": [{${config}}]}` : `{${config}}`) as JsonObject;

function ofLine(line: string): JsonObject {
  const words = line.split(' ');
  const flags = words.flatMap((word, index) => {
    if (!word.startsWith('-')) return [];
    const option = FOREIGN_OPTIONS.find(({ names: [long, short] }) => word === `--${long}` || word === `-${short}`);
    if (option === undefined) throw new Error(`there is no option ${word}`);
    return [{ option, value: option.takes === 'flag' ? (true as const) : (words[index + 1] ?? '') }];
  });
  return mergeCommandLine({}, flags);
}

/** The leaves that a configuration leads to beyond those of an empty one, and what is said about it. */
function outcome(config: JsonObject): { configOptions: Record<string, unknown>; fates: ReadonlySet<string>; code?: string } {
  try {
    const { tree, notices } = convert(config);
    const empty = convert({}).tree;
    const added = [...tree]
      .filter(([key, { value }]) => JSON.stringify(empty.get(key)?.value) !== JSON.stringify(value))
      .map(([key, { value }]) => [key, value]);
    return { configOptions: Object.fromEntries(added) as Record<string, unknown>, fates: new Set(notices.map(({ fate }) => fate)) };
  } catch (error) {
    if (!(error instanceof TailwaterError)) throw error;
    return { configOptions: {}, fates: new Set(['refused']), code: error.code };
  }
}

function expected({ becomes }: Row): Record<string, unknown> {
  const named = spans(becomes).flatMap((span) => {
    const [, key = '', value = ''] = /^((?:source|producer|namespaces|targets|logging)\.[\w.-]+): (.+)$/.exec(span) ?? [];
    return key === '' ? [] : [[key, /^(?:[[{"\d]|true$|false$)/.test(value) ? (JSON.parse(value) as unknown) : value]];
  });
  return Object.fromEntries(named) as Record<string, unknown>;
}

function check(row: Row, config: JsonObject): void {
  const { configOptions, fates, code } = outcome(config);
  expect(configOptions).toEqual(expected(row));
  const isSpecial = fates.has('replaced') || fates.has('refused');
  expect(isSpecial ? [...fates].filter((fate) => fate === 'replaced' || fate === 'refused') : ['honoured']).toEqual([row.fate]);
  expect(fates).not.toContain('ignored');
  if (code !== undefined) expect(row.becomes).toContain(code);
}

describe('docs/from-mongo-connector.md', () => {
  it.each(rows.map((row) => [row.config, row] as const))('%s', (_config, row) => check(row, ofFile(row)));

  it.each(rows.flatMap((row) => row.lines.map((line) => [line, row] as const)))('%s', (line, row) => check(row, ofLine(line)));

  it('names keys that a configuration has', () => {
    const known = new Set(Object.keys(configOptions).map((flag) => keyOf(flag)));
    const named = rows.flatMap((row) => Object.keys(expected(row)));
    const general = named.map((key) => key.replace(/^targets\.\w+/, 'targets.<name>').replace(/^producer\.logging/, 'logging'));
    expect(general.filter((key) => !known.has(key))).toEqual([]);
  });

  it('names every option', () => {
    const words = new Set(rows.flatMap(({ lines }) => lines.flatMap((line) => line.split(' '))));
    for (const { names } of FOREIGN_OPTIONS) {
      const [long, short] = names;
      expect(words).toContain(`--${long}`);
      if (short !== undefined) expect(words).toContain(`-${short}`);
    }
  });

  it('names every key of the published example', () => {
    const keys = new Set(Array.from(EXAMPLE.matchAll(/"(?:__)?(\w+)":/g), ([, key = '']) => key));
    const named = new Set(rows.flatMap(({ config }) => Array.from(config.matchAll(/"(\w+)":/g), ([, key = '']) => key)));
    for (const key of ['comment__', 'docManagers']) keys.delete(key);
    expect([...keys].filter((key) => !named.has(key))).toEqual([]);
  });
});
