import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineOptions, parseConfigFile, readConfigFile } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const base = { group: 'Test:', describe: 'x' } as const;
const specs = defineOptions({
  config: { ...base, type: 'string' },
  kafka: { ...base, type: 'list' },
  prefix: { ...base, type: 'string' },
  statusPort: { ...base, type: 'number', max: 65_535 },
  json: { ...base, type: 'boolean' },
  rename: { ...base, type: 'map' },
  password: { ...base, type: 'string', secret: true, choices: ['x'] },
});
const parse = (text: string, section = 'consumer') => Object.fromEntries(parseConfigFile(text, 'tw.yaml', { section, specs }));
const failure = (text: string, section = 'consumer'): string => {
  try {
    parse(text, section);
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
  return 'no error';
};

describe('what a file says', () => {
  it('takes common keys from the top, and the process’s own section before them', () => {
    const text = 'consumer:\n  statusPort: 2\nstatusPort: 1\nprefix: tw\nproducer:\n  whatever: [1, {2: 3}]\n';
    expect(parse(text)).toEqual({ statusPort: 2, prefix: 'tw' });
  });

  it('knows keys that only the other process has a use for', () => {
    expect(parse('mongo: mongodb://h\nexclude: [a.b]\nprefix: tw\n')).toEqual({ prefix: 'tw' });
  });

  it('takes every type', () => {
    expect(parse('kafka: [a:1, b:2]\nstatusPort: 0\njson: yes\nrename: {a.b: c.d, "e.*": "f.*"}\n'.replace('yes', 'true'))).toEqual({
      kafka: ['a:1', 'b:2'],
      statusPort: 0,
      json: true,
      rename: { 'a.b': 'c.d', 'e.*': 'f.*' },
    });
  });

  it('takes one text for a list, as on the command line, and commas inside a list as they are', () => {
    expect(parse('kafka: a:1, b:2\n')).toEqual({ kafka: ['a:1', 'b:2'] });
    expect(parse('kafka: ["a,b"]\n')).toEqual({ kafka: ['a,b'] });
  });

  it('takes JSON, anchors, an empty file, comments and empty sections', () => {
    expect(parse('{\n\t"prefix": "tw",\n\t"consumer": {"statusPort": 3}\n}')).toEqual({ prefix: 'tw', statusPort: 3 });
    expect(parse('kafka: &k [a:1]\nconsumer:\n  kafka: *k\n')).toEqual({ kafka: ['a:1'] });
    for (const text of ['', '# nothing\n', '---\n', 'null', 'consumer:\n', 'consumer: ~\nproducer:\n'])
      expect(parse(text), text).toEqual({});
  });

  it('serves programs of other names', () => {
    expect(parse('devstack:\n  prefix: a\nproducer:\n  x: 1\n', 'devstack')).toEqual({ prefix: 'a' });
  });
});

describe('what is wrong with a file, and where', () => {
  it.each([
    ['prefix: tw\nkafak: [a:1]\n', 'TW1001 tw.yaml:2:1: unknown key kafak, did you mean kafka?'],
    ['consumer:\n  status-port: 1\n', 'TW1001 tw.yaml:2:3: unknown key consumer.status-port, did you mean statusPort?'],
    ['consumr:\n  statusPort: 1\n', 'TW1001 tw.yaml:1:1: unknown key consumr, did you mean consumer?'],
    ['consumer:\n  mongo: x\n', 'TW1001 tw.yaml:2:3: unknown key consumer.mongo'],
    ['config: other.yaml\n', 'TW1001 tw.yaml:1:1: unknown key config'],
    ['toString: 1\n', 'TW1001 tw.yaml:1:1: unknown key toString'],
    ['? [a]\n: 1\n', 'TW1001 tw.yaml:1:3: unknown key '],
    ['prefix: 5\n', 'TW1002 tw.yaml:1:9: prefix must be a text, not 5'],
    ['prefix:\n', 'TW1002 tw.yaml:1:8: prefix must be a text, not nothing'],
    ['prefix: [a]\n', 'TW1002 tw.yaml:1:9: prefix must be a text, not a list'],
    ['consumer:\n  statusPort: "80"\n', 'TW1002 tw.yaml:2:15: consumer.statusPort must be a whole number of at most 65535, not "80"'],
    ['statusPort: 99999\n', 'TW1002 tw.yaml:1:13: statusPort must be a whole number of at most 65535, not 99999'],
    ['json: "true"\n', 'TW1002 tw.yaml:1:7: json must be true or false, not "true"'],
    ['kafka:\n  - a:1\n  - 7\n', 'TW1002 tw.yaml:3:5: kafka must be a list of texts, not 7'],
    ['kafka:\n  - a: 1\n', 'TW1002 tw.yaml:2:5: kafka must be a list of texts, not a mapping'],
    [
      'rename:\n  a.b: [c]\n',
      'TW1002 tw.yaml:2:8: rename must be a mapping from text to text (name=value on the command line), not a list',
    ],
    ['password: hunter2\n', 'TW1002 tw.yaml:1:11: password must be one of x, not ***'],
    ['consumer: 5\n', 'TW1002 tw.yaml:1:11: consumer must be a mapping of option names to values, not 5'],
    ['producer: [x]\n', 'TW1002 tw.yaml:1:11: producer must be a mapping of option names to values, not a list'],
    ['- a\n', 'TW1004 tw.yaml:1:1: the file must be a mapping of option names to values'],
    ['prefix: a\nprefix: b\n', 'TW1004 tw.yaml:2:1: Map keys must be unique'],
  ])('%j', (text, expected) => {
    expect(failure(text)).toBe(expected);
  });

  it.each(['prefix: "a\n', 'a: b: c\n', '{"prefix": "a"', 'prefix: a\n---\nprefix: b\n', 'prefix: *nobody\n', '\tprefix: a\n'])(
    'malformed: %j',
    (text) => {
      expect(failure(text)).toMatch(/^TW1004 tw\.yaml:\d+:\d+: .+/);
    },
  );

  it('shows no secret of a malformed file', () => {
    expect(failure('mongo: "mongodb://u:hunter2@h\npassword: hunter2\n')).not.toContain('hunter2');
  });
});

describe('readConfigFile', () => {
  it('reads a file, or says why it cannot', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tailwater-config-'));
    try {
      const file = join(directory, 'tw.yaml');
      writeFileSync(file, '\uFEFFprefix: tw\r\n');
      expect(readConfigFile(file, { section: 'producer', specs })).toEqual(new Map([['prefix', 'tw']]));
      const missing = join(directory, 'none.yaml');
      expect(() => readConfigFile(missing, { section: 'producer', specs })).toThrow(
        expect.objectContaining({ code: 'TW1003', message: `Cannot read the configuration file ${missing}: there is no such file` }),
      );
      expect(() => readConfigFile(directory, { section: 'producer', specs })).toThrow(
        expect.objectContaining({ code: 'TW1003', message: expect.stringContaining('it is a directory') }),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
