import { defineOptions, type Flags, loadOptions, type OptionSpec } from '@tailwater/runtime';
import { describe, expect, expectTypeOf, it } from 'vitest';

const group = 'Test:';
const describeIt = 'x';
const base = { group, describe: describeIt } as const;
const one = (spec: OptionSpec, flags: Flags, env: NodeJS.ProcessEnv = {}, file: [string, unknown][] = []) =>
  loadOptions({ anOption: spec }, flags, env, new Map(file)).anOption;

describe('where a value comes from', () => {
  const port: OptionSpec = { ...base, type: 'number', default: 1 };
  it('flag, else environment variable, else file, else default', () => {
    const env = { TAILWATER_AN_OPTION: '3' };
    const file: [string, unknown][] = [['anOption', 2]];
    expect(one(port, { anOption: ['4'] }, env, file)).toBe(4);
    expect(one(port, {}, env, file)).toBe(3);
    expect(one(port, {}, {}, file)).toBe(2);
    expect(one(port, {})).toBe(1);
  });

  it('takes a falsy value for a value, and an empty variable for none', () => {
    expect(one(port, { anOption: ['0'] }, { TAILWATER_AN_OPTION: '3' })).toBe(0);
    expect(one({ ...base, type: 'boolean' }, { anOption: false }, { TAILWATER_AN_OPTION: 'true' })).toBe(false);
    expect(one(port, {}, { TAILWATER_AN_OPTION: '' })).toBe(1);
  });

  it('can be told the variable', () => {
    expect(one({ ...base, type: 'string', env: 'MONGO_URI' }, {}, { MONGO_URI: 'm', TAILWATER_AN_OPTION: 'n' })).toBe('m');
  });
});

describe('values as texts', () => {
  it.each<[OptionSpec, string[], unknown]>([
    [{ ...base, type: 'string' }, ['a', 'b'], 'b'],
    [{ ...base, type: 'string' }, [' a,b '], ' a,b '],
    [{ ...base, type: 'string', choices: ['x', 'y'] }, ['y'], 'y'],
    [{ ...base, type: 'number' }, ['-1'], -1],
    [{ ...base, type: 'number', fractional: true }, ['0.5'], 0.5],
    [{ ...base, type: 'list' }, ['a:1, b:2', 'c:3', ','], ['a:1', 'b:2', 'c:3']],
    [{ ...base, type: 'map', hasCommas: true }, ['a.b={"c":1,"d":2}', 'e.f={}'], { 'a.b': '{"c":1,"d":2}', 'e.f': '{}' }],
    [{ ...base, type: 'list', hasCommas: true }, ['{"a":1,"b":2}', ' c'], ['{"a":1,"b":2}', 'c']],
    [{ ...base, type: 'map' }, ['a.b=c.d,e.*=f=g.*', 'h.i=j.k'], { 'a.b': 'c.d', 'e.*': 'f=g.*', 'h.i': 'j.k' }],
  ])('%j of %j', (spec, texts, expected) => {
    expect(one(spec, { anOption: texts })).toEqual(expected);
    if (texts.length === 1) expect(one(spec, {}, { TAILWATER_AN_OPTION: texts[0] })).toEqual(expected);
  });

  it.each([
    ['true', true],
    ['YES', true],
    ['1', true],
    ['off', false],
    ['0', false],
  ])('the variable %s is %s', (text, expected) => {
    expect(one({ ...base, type: 'boolean' }, {}, { TAILWATER_AN_OPTION: text })).toBe(expected);
  });

  it.each<[OptionSpec, string, string]>([
    [{ ...base, type: 'string' }, '', 'a text, not nothing'],
    [{ ...base, type: 'string', choices: ['x', 'y'] }, 'z', 'one of x, y, not "z"'],
    [{ ...base, type: 'number' }, 'ten', 'a whole number, not "ten"'],
    [{ ...base, type: 'number' }, '1.5', 'a whole number, not "1.5"'],
    [{ ...base, type: 'number' }, '0x10', 'a whole number, not "0x10"'],
    [{ ...base, type: 'number' }, '', 'a whole number, not nothing'],
    [{ ...base, type: 'number', min: 1, max: 9 }, '0', 'a whole number of at least 1 of at most 9, not "0"'],
    [{ ...base, type: 'number', fractional: true }, 'NaN', 'a number, not "NaN"'],
    [{ ...base, type: 'map' }, 'a.b', 'a mapping from text to text (name=value on the command line), not "a.b"'],
    [{ ...base, type: 'list', choices: ['x'] }, 'x,y', 'a list of x, not "x,y"'],
    [{ ...base, type: 'string', secret: true, choices: ['x'] }, 'hunter2', 'one of x, not ***'],
  ])('%j refuses %j', (spec, text, message) => {
    expect(() => one(spec, { anOption: [text] })).toThrow(
      expect.objectContaining({ code: 'TW1006', message: `--an-option must be ${message}` }),
    );
    if (text === '') return;
    expect(() => one(spec, {}, { TAILWATER_AN_OPTION: text })).toThrow(
      expect.objectContaining({ code: 'TW1009', message: `The environment variable TAILWATER_AN_OPTION must be ${message}` }),
    );
  });
});

describe('options without a value', () => {
  it('are empty, false or undefined', () => {
    const specs = defineOptions({
      list: { ...base, type: 'list' },
      map: { ...base, type: 'map' },
      flag: { ...base, type: 'boolean' },
      text: { ...base, type: 'string' },
    });
    expect(loadOptions(specs, {}, {})).toEqual({ list: [], map: {}, flag: false, text: undefined });
  });

  it.each<OptionSpec>([
    { ...base, type: 'string', required: true },
    { ...base, type: 'list', required: true },
  ])('are asked for when required: %j', (spec) => {
    expect(() => one(spec, {})).toThrow(
      expect.objectContaining({
        code: 'TW1007',
        message: 'The option --an-option is required',
        hint: 'Give --an-option, or set the environment variable TAILWATER_AN_OPTION, or the key anOption in the configuration file.',
      }),
    );
  });

  it('never share a default', () => {
    const spec: OptionSpec = { ...base, type: 'list', default: ['a'] };
    (one(spec, {}) as string[]).push('b');
    expect(one(spec, {})).toEqual(['a']);
  });
});

it('values have the types that the specs say', () => {
  const specs = defineOptions({
    mongo: { ...base, type: 'string', required: true },
    name: { ...base, type: 'string' },
    port: { ...base, type: 'number', default: 1 },
    level: { ...base, type: 'string', choices: ['info', 'warn'], default: 'info' },
    kafka: { ...base, type: 'list' },
    rename: { ...base, type: 'map' },
    json: { ...base, type: 'boolean' },
  });
  expectTypeOf(loadOptions(specs, { mongo: ['m'] }, {})).toEqualTypeOf<{
    readonly mongo: string;
    readonly name: string | undefined;
    readonly port: number;
    readonly level: 'info' | 'warn';
    readonly kafka: string[];
    readonly rename: Record<string, string>;
    readonly json: boolean;
  }>();
});
