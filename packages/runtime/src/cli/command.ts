// A program and its commands, as data: what they are called, what they take, what they do.
import type { OptionSpecs, OptionValues } from '../config/option-spec.js';
import type { Logger } from '../logging/logger.js';
import { generalOptions } from './general-options.js';

export interface CommandContext {
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** As --log-level and --log-format say. */
  readonly logger: Logger;
  /** For output; everything else goes to stderr. */
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The arguments that are no options, by the names of `positionals`. */
  readonly arguments: Readonly<Record<string, string>>;
}

export interface PositionalSpec {
  readonly describe: string;
  /** Default true. */
  readonly required?: boolean;
}

export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  /** One word, or several for a command inside a group: `dead-letters list`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What its own --help says above the options. Default the summary. */
  readonly description?: string;
  readonly options: Specs;
  /** It works until it is told to stop, and its log is read by others than who started it. Default false. */
  readonly isService?: boolean;
  /** Arguments that are no options, in order. */
  readonly positionals?: Readonly<Record<string, PositionalSpec>>;
  /** Command lines and what they do; `$0` stands for the program. */
  readonly examples: readonly (readonly [command: string, text: string])[];
  run(options: OptionValues<Specs>, context: CommandContext): Promise<void>;
}

export interface CliDescription {
  /** The program's name, and its section in the configuration file. */
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly commands: readonly Command[];
  /** What the groups of commands are about, by their first word: `{ 'dead-letters': 'Look after refused changes' }`. */
  readonly groups?: Readonly<Record<string, string>>;
}

/** The options of a command, then those that every command has unless it describes them itself. */
export const specsOf = (command: Command): OptionSpecs => ({ ...command.options, ...generalOptions, ...command.options });

/** `dead-letters list` and `dead-letters show` are one group of two. */
export function byFirstWord(commands: readonly Command[]): Map<string, Command[]> {
  const words = new Map<string, Command[]>();
  for (const command of commands) {
    const word = command.name.split(' ')[0] ?? command.name;
    words.set(word, [...(words.get(word) ?? []), command]);
  }
  return words;
}
