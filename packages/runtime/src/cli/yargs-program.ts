// The program as yargs sees it: it splits the words of a command line and writes the help. It is told no default, no choice
// and no requirement, because it would report what is wrong in words only, without a code.

import yargs, { type Argv } from 'yargs';
import { kebabName, type Option, type Options } from '../config/option.js';
import { describeDefault, isRequired, shapeOf } from '../config/option-value.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { byFirstWord, type CliDescription, type Command, optionsOf, placesOf } from './command.js';
import { type ForeignConfiguration, isOwnName } from './foreign-configuration.js';
import { helpSections } from './help-sections.js';

export const MAX_WIDTH = 110;

export type YargsResult =
  | { readonly kind: 'help'; readonly text: string }
  /** No command when the words name none. */
  | { readonly kind: 'selected'; readonly command: Command | undefined; readonly argv: Readonly<Record<string, unknown>> };

const PARSER_CONFIGURATION = {
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
};

/** @throws TailwaterError TW1014 a missing argument */
export function runYargs(cli: CliDescription, args: readonly string[], columns: number): YargsResult {
  return new YargsProgram(cli, columns).run(args);
}

class YargsProgram {
  readonly #cli: CliDescription;
  readonly #columns: number;
  #selected: YargsResult | undefined;
  /** What the command under way is called and takes, should that be missing. */
  #usage: { readonly command: string; readonly places: string };

  constructor(cli: CliDescription, columns: number) {
    this.#cli = cli;
    this.#columns = columns;
    this.#usage = { command: cli.name, places: '<command>' };
  }

  run(args: readonly string[]): YargsResult {
    let help = '';
    this.#program().parse([...args], {}, (_error, _argv, output) => {
      help = output;
    });
    return this.#selected ?? { kind: 'help', text: `${help}\n` };
  }

  #program(): Argv {
    const { name, description, version, commands } = this.#cli;
    const program = yargs()
      .scriptName(name)
      .parserConfiguration(PARSER_CONFIGURATION)
      .locale('en')
      .exitProcess(false)
      .showHelpOnFail(false)
      .fail((_message, error) => {
        throw (
          error ??
          new TailwaterError(errorCodes.ARGUMENTS_WRONG, { command: this.#usage.command, reason: `it takes ${this.#usage.places}` })
        );
      })
      .wrap(Math.min(this.#columns, MAX_WIDTH))
      .usage(`${description}\n\nUsage: $0 <command> [options]`)
      .version(version)
      .group(['help', 'version'], 'General:')
      .epilogue(`Run ${name} <command> --help for the options of a command.`)
      .command('$0', false, {}, this.#select(undefined));
    for (const [word, group] of byFirstWord(commands)) {
      const [only] = group;
      if (group.length === 1 && only?.name === word) this.#addCommand(program, word, only);
      else this.#addGroup(program, word, group);
    }
    return program;
  }

  #select(command: Command | undefined): (argv: object) => void {
    return (argv) => {
      this.#selected = { kind: 'selected', command, argv: { ...argv } };
    };
  }

  #addGroup(program: Argv, word: string, commands: readonly Command[]): void {
    const summary = this.#cli.groups?.[word] ?? commands.map((command) => command.summary).join('; ');
    program.command(word, summary, (group) => {
      group.usage(`${summary}\n\nUsage: $0 ${word} <command> [options]`).command('$0', false, {}, this.#select(undefined));
      for (const command of commands) this.#addCommand(group, command.name.slice(word.length + 1), command);
    });
  }

  #addCommand(program: Argv, word: string, command: Command): void {
    const positionals = Object.entries(command.positionals ?? {});
    const places = placesOf(command);
    const build = (builder: Argv) => {
      this.#usage = { command: `${this.#cli.name} ${command.name}`, places };
      const usage = ['$0', command.name, places, '[options]'].filter((part) => part !== '').join(' ');
      builder.usage(`${command.description ?? command.summary}\n\nUsage: ${usage}`);
      for (const [name, { describe }] of positionals) builder.positional(name, { type: 'string', describe });
      for (const [name, option] of Object.entries(optionsOf(command))) addOption(builder, name, option);
      if (command.takesForeignOptions === true) addForeignOptions(builder, this.#cli.foreign, optionsOf(command));
      for (const [line, text] of command.examples) builder.example(line, text);
      builder.epilogue(helpSections(this.#cli, command, Math.min(this.#columns, MAX_WIDTH)));
    };
    program.command(`${word} ${places}`.trim(), command.summary, build, this.#select(command));
  }
}

/** They are not in the help, which would be twice as long. Where Tailwater has one of the same name, that is meant. */
function addForeignOptions(program: Argv, foreign: ForeignConfiguration | undefined, own: Options): void {
  if (foreign === undefined) return;
  program.option(foreign.fileOption, { hidden: true, string: true });
  for (const { names, takes } of foreign.options) {
    const [long, short] = names;
    const free = [long, short].filter((name): name is string => name !== undefined && !isOwnName(own, name));
    const [name, alias] = free;
    if (name === undefined) continue;
    const type = takes === 'flag' ? { boolean: true } : { string: true };
    program.option(name, { hidden: true, ...type, ...(alias === undefined ? {} : { alias }) });
  }
}

function addOption(program: Argv, name: string, option: Option): void {
  const { type, enum: choices } = shapeOf(option);
  const notes = [...(isRequired(option) ? ['[required]'] : []), ...(choices === undefined ? [] : [`[choices: ${choices.join(', ')}]`])];
  const shown = describeDefault(option);
  program.option(kebabName(name), {
    describe: [option.describe, ...notes].join(' '),
    group: `${option.group}:`,
    // Text it is in any case; the other type is what the help shows.
    ...(type === 'boolean' ? { boolean: true } : { string: true }),
    ...(type === 'number' || type === 'integer' ? { number: true } : {}),
    ...(type === 'array' || type === 'object' ? { array: true } : {}),
    ...(option.alias === undefined ? {} : { alias: option.alias }),
    ...(shown === '' ? {} : { defaultDescription: shown }),
  });
}
