// A program and its commands, as data: what they are called, what they take, what they do.
import type { ConfigFile } from '../config/config-file.js';
import type { Flags } from '../config/load-options.js';
import type { Options, OptionValues } from '../config/option.js';
import type { Environment } from '../config/references.js';
import type { Unfinished } from '../lifecycle/unfinished.js';
import type { Logger } from '../logging/logger.js';
import type { ForeignConfiguration } from './foreign-configuration.js';
import { generalOptions } from './general-options.js';

interface Given {
  readonly flags: Flags;
  readonly env: Environment;
  readonly file: ConfigFile | undefined;
  /** What options of another program say. */
  readonly commandLine: ConfigFile | undefined;
}

export interface CommandContext {
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** As --log-level and --log-format say. */
  readonly logger: Logger;
  /** What a stop waits for is named here. */
  readonly unfinished: Unfinished;
  /** For output; everything else goes to stderr. */
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The arguments that are no options, by the names of `positionals`. */
  readonly arguments: Readonly<Record<string, string>>;
  /** Where the options come from, for commands about the configuration itself. */
  readonly given: Given;
}

export interface PositionalSpec {
  readonly describe: string;
  /** Default true. */
  readonly required?: boolean;
  /** What shells complete; the command itself says what it takes. */
  readonly choices?: readonly string[];
}

export interface Command<Own extends Options = Options> {
  /** One word, or several for a command inside a group: `dead-letters list`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What its own --help says above the options. Default the summary. */
  readonly description?: string;
  readonly options: Own;
  /** It works until it is told to stop, and its log is read by others than who started it. Default false. */
  readonly isService?: boolean;
  /** Whether it takes the options of another program, too; the file that --config names may be that program's for every command. */
  readonly takesForeignOptions?: true;
  /** It loads its options from `given`: only the general ones are loaded for it, and it logs to stderr. Otherwise one with the option `name` is about one target. */
  readonly loadsItself?: true;
  /** Arguments that are no options, in order. */
  readonly positionals?: Readonly<Record<string, PositionalSpec>>;
  /** Command lines and what they do; `$0` stands for the program. */
  readonly examples: readonly (readonly [command: string, text: string])[];
  run(options: OptionValues<Own>, context: CommandContext): Promise<void>;
}

export interface CliDescription {
  /** The program's name, and its section in the configuration file. */
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly commands: readonly Command[];
  /** The program whose configuration is taken as well. */
  readonly foreign?: ForeignConfiguration;
  /** What the groups of commands are about, by their first word: `{ 'dead-letters': 'Look after refused changes' }`. */
  readonly groups?: Readonly<Record<string, string>>;
}

/** The options of a command, then those that every command has unless it describes them itself. */
export const optionsOf = (command: Command): Options => ({ ...command.options, ...generalOptions, ...command.options });

/** `<id> [field]` */
export const placesOf = ({ positionals = {} }: Command): string =>
  Object.entries(positionals)
    .map(([name, { required = true }]) => (required ? `<${name}>` : `[${name}]`))
    .join(' ');

/** `dead-letters list` and `dead-letters show` are one group of two. */
export function byFirstWord(commands: readonly Command[]): Map<string, Command[]> {
  const words = new Map<string, Command[]>();
  for (const command of commands) {
    const word = command.name.split(' ')[0] ?? command.name;
    words.set(word, [...(words.get(word) ?? []), command]);
  }
  return words;
}
