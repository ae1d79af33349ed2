import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  configOptions,
  type Flags,
  list,
  loadOptions,
  map,
  type Option,
  option,
  parseConfigFile,
  programScope,
  text,
  toggle,
} from '@tailwater/runtime';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const meta = { group: 'Test', describe: 'x' } as const;
const one = (given: Option, flags: Flags, env: NodeJS.ProcessEnv = {}) => loadOptions({ anOption: given }, { flags, env }).anOption;

describe('where a value comes from', () => {
  const { statusPort } = configOptions;
  const port = (flags: Flags, env: NodeJS.ProcessEnv, file: string) =>
    loadOptions({ statusPort }, { flags, env, file: programScope(parseConfigFile(file, 'tw.yaml'), 'producer') }).statusPort;

  it('flag, else environment variable, else file, else default', () => {
    const env = { TAILWATER_STATUS_PORT: '3' };
    const file = 'status: { port: 2 }';
    expect(port({ statusPort: ['4'] }, env, file)).toBe(4);
    expect(port({}, env, file)).toBe(3);
    expect(port({}, {}, file)).toBe(2);
    expect(port({}, {}, '')).toBe(0);
  });

  it('what the file says for the process alone beats what it says for all', () => {
    expect(port({}, {}, 'producer: { status: { port: 5 } }\nstatus: { port: 2 }')).toBe(5);
  });

  it('takes a falsy value for a value, and an empty variable for none', () => {
    const number = option(z.int().default(1), meta);
    expect(one(number, { anOption: ['0'] }, { TAILWATER_AN_OPTION: '3' })).toBe(0);
    expect(one(option(toggle(), meta), { anOption: false }, { TAILWATER_AN_OPTION: 'true' })).toBe(false);
    expect(one(number, {}, { TAILWATER_AN_OPTION: '' })).toBe(1);
  });
});

describe('values as texts', () => {
  it.each<[Option, string[], unknown]>([
    [option(text(), meta), ['a', 'b'], 'b'],
    [option(text(), meta), [' a,b '], ' a,b '],
    [option(z.enum(['x', 'y']), meta), ['y'], 'y'],
    [option(z.int(), meta), ['-1'], -1],
    [option(z.number(), meta), ['0.5'], 0.5],
    [option(list(), meta), ['a:1, b:2', 'c:3', ','], ['a:1', 'b:2', 'c:3']],
    [option(map(), { ...meta, hasCommas: true }), ['a.b={"c":1,"d":2}', 'e.f={}'], { 'a.b': '{"c":1,"d":2}', 'e.f': '{}' }],
    [option(list(), { ...meta, hasCommas: true }), ['{"a":1,"b":2}', ' c'], ['{"a":1,"b":2}', 'c']],
    [option(map(), meta), ['a.b=c.d,e.*=f=g.*', 'h.i=j.k'], { 'a.b': 'c.d', 'e.*': 'f=g.*', 'h.i': 'j.k' }],
  ])('%# of %j', (given, texts, expected) => {
    expect(one(given, { anOption: texts })).toEqual(expected);
    if (texts.length === 1) expect(one(given, {}, { TAILWATER_AN_OPTION: texts[0] })).toEqual(expected);
  });

  it.each([
    ['true', true],
    ['YES', true],
    ['1', true],
    ['off', false],
    ['0', false],
  ])('the variable %s is %s', (value, expected) => {
    expect(one(option(toggle(), meta), {}, { TAILWATER_AN_OPTION: value })).toBe(expected);
  });

  it.each<[Option, string, string]>([
    [option(text(), meta), '', 'a text, not nothing'],
    [option(z.enum(['x', 'y']), meta), 'z', 'one of x, y, not "z"'],
    [option(z.int(), meta), 'ten', 'a whole number, not "ten"'],
    [option(z.int(), meta), '1.5', 'a whole number, not "1.5"'],
    [option(z.int(), meta), '0x10', 'a whole number, not "0x10"'],
    [option(z.int(), meta), '', 'a whole number, not nothing'],
    [option(z.int().min(1).max(9), meta), '0', 'a whole number from 1 to 9, not "0"'],
    [option(z.number(), meta), 'NaN', 'a number, not "NaN"'],
    [option(map(), meta), 'a.b', 'a mapping from text to text (name=value on the command line), not "a.b"'],
    [option(z.array(z.enum(['x'])), meta), 'x,y', 'a list of x, not "x,y"'],
    [option(text().regex(/^a/), { ...meta, expected: 'a text with a' }), 'b', 'a text with a, not "b"'],
    [option(z.enum(['x']), { ...meta, secret: 'value' }), 'hunter2', 'one of x, not ***'],
  ])('%# refuses %j', (given, value, message) => {
    expect(() => one(given, { anOption: [value] })).toThrow(
      expect.objectContaining({ code: 'TW1006', message: `--an-option must be ${message}` }),
    );
    if (value === '') return;
    expect(() => one(given, {}, { TAILWATER_AN_OPTION: value })).toThrow(
      expect.objectContaining({ code: 'TW1009', message: `The environment variable TAILWATER_AN_OPTION must be ${message}` }),
    );
  });
});

describe('options without a value', () => {
  it('are empty, false or undefined', () => {
    const options = {
      list: option(list().default([]), meta),
      map: option(map().default({}), meta),
      flag: option(toggle(), meta),
      text: option(text().optional(), meta),
    };
    expect(loadOptions(options, { flags: {}, env: {} })).toEqual({ list: [], map: {}, flag: false, text: undefined });
  });

  it.each<Option>([option(text(), meta), option(list().min(1), meta)])('are asked for when required', (given) => {
    expect(() => one(given, {})).toThrow(
      expect.objectContaining({
        code: 'TW1007',
        message: 'The option --an-option is required',
        hint: 'Give --an-option, or set the environment variable TAILWATER_AN_OPTION.',
      }),
    );
  });

  it('are told with their key in the file, all at once', () => {
    const { mongo, targetUrl } = configOptions;
    expect(() => loadOptions({ mongo, targetUrl }, { flags: {}, env: {} })).toThrow(
      expect.objectContaining({
        code: 'TW1019',
        message: '2 mistakes in the configuration:\n  TW1007 The option --mongo is required\n  TW1007 The option --target-url is required',
      }),
    );
    expect(() => loadOptions({ mongo }, { flags: {}, env: {} })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('TAILWATER_MONGO, or the key source.uri in the configuration file.') }),
    );
  });

  it('never share a default', () => {
    const given = option(list().default(['a']), meta);
    (one(given, {}) as string[]).push('b');
    expect(one(given, {})).toEqual(['a']);
  });
});

describe('what a value refers to', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tailwater-config-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const secret = join(directory, 'secret');
  writeFileSync(secret, '  hunter2 \r\n\n');
  const { mongo, statusPort, kafka, kafkaPassword, logLevel, rename } = configOptions;
  const options = { mongo, statusPort, kafka, kafkaPassword, logLevel, rename };
  const load = (file: string, env: NodeJS.ProcessEnv = {}) =>
    loadOptions(options, { flags: { mongo: ['m'] }, env, file: programScope(parseConfigFile(file, 'tw.yaml'), 'producer') });

  it('a variable, in any text of the file', () => {
    const env = { U: 'u', PORT: '81', B: 'a:1, b:2', L: 'warn', D: 'copy' };
    const file =
      'status: { port: "${PORT}" }\nkafka: { brokers: "${B}" }\nlogging:\n  level: ${L}\nnamespaces: { rename: { "a.*": "${D}.*" } }\n';
    expect(load(file, env)).toMatchObject({ statusPort: 81, kafka: ['a:1', 'b:2'], logLevel: ['warn'], rename: { 'a.*': 'copy.*' } });
    expect(load('kafka: { brokers: ["${U}:1", "$${U}", "$U"] }', env).kafka).toEqual(['u:1', '${U}', '$U']);
  });

  it('a file, for a secret, from wherever it comes', () => {
    expect(load(`kafka: { sasl: { password: "file:${secret}" } }`).kafkaPassword).toBe('  hunter2');
    expect(load(`kafka: { sasl: { password: "file:\${DIR}/secret" } }`, { DIR: directory }).kafkaPassword).toBe('  hunter2');
    expect(load('', { TAILWATER_KAFKA_PASSWORD: `file:${secret}` }).kafkaPassword).toBe('  hunter2');
  });

  it('is looked up only for what is used', () => {
    const file = 'kafka: { sasl: { password: "${NOBODY}" } }\nsource: { uri: "file:/nowhere" }\n';
    const scope = programScope(parseConfigFile(file, 'tw.yaml'), 'producer');
    expect(loadOptions({ statusPort }, { flags: {}, env: {}, file: scope })).toEqual({ statusPort: 0 });
  });
});

it('values have the types that the schemas say', () => {
  const { mongo, acceptCluster, statusPort, onGap, kafka, rename, snapshotOnly } = configOptions;
  const options = { mongo, acceptCluster, statusPort, onGap, kafka, rename, snapshotOnly };
  expectTypeOf(loadOptions(options, { flags: { mongo: ['m'] }, env: {} })).toEqualTypeOf<{
    readonly mongo: string;
    readonly acceptCluster: string | undefined;
    readonly statusPort: number;
    readonly onGap: 'resnapshot' | 'stop';
    readonly kafka: string[];
    readonly rename: Record<string, string>;
    readonly snapshotOnly: boolean;
  }>();
});
