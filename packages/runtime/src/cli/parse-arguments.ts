// From the words of a command line to a command, its flags and its arguments, or to a help text.

import { type Flags, wrongFlag } from '../config/load-options.js';
import { flagName, kebabName, type Option } from '../config/option.js';
import { actualOf, shapeOf } from '../config/option-value.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { suggest } from '../text/nearest.js';
import { byFirstWord, type CliDescription, type Command, optionsOf } from './command.js';
import { type ForeignConfiguration, type ForeignFlag, isOwnName } from './foreign-configuration.js';
import { MAX_WIDTH, runYargs } from './yargs-program.js';

export type Parsed =
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly flags: Flags;
      /** Options of the other program whose configuration is taken. */
      readonly foreign: readonly ForeignFlag[];
      readonly positionals: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'help'; readonly text: string }
  /** No command was named; the help says which there are. */
  | { readonly kind: 'nothing'; readonly program: string; readonly help: string };

type Argv = Readonly<Record<string, unknown>>;

/**
 * @param columns - the width of the terminal
 * @throws TailwaterError TW1005 an unknown flag, TW1006 a flag's wrong value, TW1008 an unknown command, TW1014 a missing or
 *   unexpected argument
 */
export function parseArguments(cli: CliDescription, args: readonly string[], columns: number = MAX_WIDTH): Parsed {
  const result = runYargs(cli, args, columns);
  if (result.kind === 'help') return result;
  const { command, argv } = result;
  const words = argv['_'] as string[];
  if (command === undefined) return withoutCommand(cli, words, columns);
  const name = `${cli.name} ${command.name}`;
  const [unexpected] = words.slice(command.name.split(' ').length);
  if (unexpected !== undefined) {
    // After a secret it may be the rest of it, with a blank between.
    const shown = followsSecret(unexpected, command, args) ? '' : ` ${JSON.stringify(unexpected)}`;
    throw new TailwaterError(errorCodes.ARGUMENTS_WRONG, { command: name, reason: `unexpected argument${shown}` });
  }
  const { own, foreign } = splitForeign(cli.foreign, command, argv);
  return { kind: 'run', command, flags: toFlags(command, name, own, args), foreign, positionals: toPositionals(command, argv) };
}

function followsSecret(word: string, command: Command, args: readonly string[]): boolean {
  const before = args.slice(0, args.lastIndexOf(word));
  return Object.entries(optionsOf(command)).some(([name, { secret }]) => secret !== undefined && before.includes(flagName(name)));
}

function withoutCommand(cli: CliDescription, words: readonly string[], columns: number): Parsed {
  const groups = byFirstWord(cli.commands);
  const [first = '', second] = words;
  const isGroup = groups.has(first);
  const program = isGroup ? `${cli.name} ${first}` : cli.name;
  const unknown = isGroup ? second : words[0];
  if (unknown !== undefined) {
    const known = isGroup ? (groups.get(first) ?? []).map(({ name }) => name.slice(first.length + 1)) : [...groups.keys()];
    throw new TailwaterError(errorCodes.UNKNOWN_COMMAND, {
      program,
      command: JSON.stringify(unknown),
      suggestion: suggest(unknown, known),
    });
  }
  const overview = runYargs(cli, isGroup ? [first, '--help'] : ['--help'], columns);
  return { kind: 'nothing', program, help: overview.kind === 'help' ? overview.text : '' };
}

/**
 * When the other program's kind of target is named, its options of the target are meant also where Tailwater has one of the same name, so that an
 * address needs no scheme.
 */
function splitForeign(known: ForeignConfiguration | undefined, command: Command, argv: Argv): { own: Argv; foreign: ForeignFlag[] } {
  if (known === undefined || command.takesForeignOptions !== true) return { own: argv, foreign: [] };
  const { [known.fileOption]: configFile, ...rest } = argv;
  const own: Record<string, unknown> = { ...rest, config: rest['config'] ?? configFile };
  const options = optionsOf(command);
  const hasTarget = argv[known.targetOption] !== undefined;
  const foreign = known.options.flatMap((option) => {
    const isOurs = (name: string) => isOwnName(options, name) && !(hasTarget && option.isOfTarget);
    const names = option.names.filter((name): name is string => name !== undefined && !isOurs(name));
    return names.flatMap((name) => {
      // yargs takes `--no-dump` for a dump that is false.
      const key = name.replace(/^no-/, '');
      const given = key === name ? own[name] : own[key] === false;
      if (given === undefined || given === false) return [];
      delete own[key];
      const last: unknown = Array.isArray(given) ? given.at(-1) : given;
      return [{ option, value: last === true ? (true as const) : String(last) }];
    });
  });
  return { own, foreign };
}

function toFlags(command: Command, name: string, argv: Argv, args: readonly string[]): Flags {
  const options = optionsOf(command);
  const nameOf = new Map(Object.keys(options).map((each) => [kebabName(each), each]));
  const ignored = new Set(['_', '$0', ...Object.keys(command.positionals ?? {})]);
  const flags: Record<string, readonly string[] | boolean> = {};
  for (const [key, value] of Object.entries(argv)) {
    if (ignored.has(key) || value === undefined) continue;
    const optionName = nameOf.get(key);
    const option = optionName === undefined ? undefined : options[optionName];
    if (optionName === undefined || option === undefined) throw unknownFlag(key, name, [...nameOf.keys()]);
    if (shapeOf(option).type === 'boolean') flags[optionName] = booleanFlag(optionName, option, value, args);
    else flags[optionName] = (Array.isArray(value) ? value : [value]).map(String);
  }
  return flags;
}

/** yargs takes `--json=maybe` for false. */
function booleanFlag(name: string, option: Option, value: unknown, args: readonly string[]): boolean {
  const prefix = `${flagName(name)}=`;
  const given = args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length);
  if (given !== undefined && given !== 'true' && given !== 'false') throw wrongFlag(flagName(name), option, actualOf(option, given));
  return (Array.isArray(value) ? value.at(-1) : value) === true;
}

function unknownFlag(key: string, command: string, known: readonly string[]): TailwaterError {
  if (key.length === 1) return new TailwaterError(errorCodes.UNKNOWN_FLAG, { flag: `-${key}`, command, suggestion: '' });
  const flags = known.map((name) => `--${name}`);
  return new TailwaterError(errorCodes.UNKNOWN_FLAG, { flag: `--${key}`, command, suggestion: suggest(`--${key}`, flags) });
}

function toPositionals(command: Command, argv: Argv): Record<string, string> {
  const given = Object.keys(command.positionals ?? {}).filter((name) => argv[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, String(argv[name])]));
}
