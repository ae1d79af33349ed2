// What can be completed on a command line, from the same descriptions as its help.
import { kebabName } from '../config/option.js';
import { shapeOf } from '../config/option-value.js';
import { byFirstWord, type CliDescription, type Command, optionsOf } from './command.js';

export interface CompletedFlag {
  /** `--status-port` */
  readonly name: string;
  readonly describe: string;
  /** What follows it; a file's name by default. Absent for a flag that takes no value. */
  readonly value?: { readonly choices: readonly string[] };
}

/** A place on the command line: behind the program, a group, or a command. */
export interface CompletedPlace {
  /** The words up to here: `''`, `dead-letters`, `dead-letters list`. */
  readonly path: string;
  /** Commands that may follow. */
  readonly commands: readonly (readonly [word: string, summary: string])[];
  readonly flags: readonly CompletedFlag[];
  /** Of the arguments that are no options, the first one's choices. */
  readonly choices: readonly string[];
}

const HELP: CompletedFlag = { name: '--help', describe: 'Show help' };
const VERSION: CompletedFlag = { name: '--version', describe: 'Show the version' };

export function completedPlaces(cli: CliDescription): CompletedPlace[] {
  const groups = [...byFirstWord(cli.commands)];
  const summaryOf = (word: string, commands: readonly Command[]) =>
    commands[0]?.name === word ? commands[0].summary : (cli.groups?.[word] ?? commands.map(({ summary }) => summary).join('; '));
  const top = groups.map(([word, commands]) => [word, summaryOf(word, commands)] as const);
  const ofGroups = groups
    .filter(([word, commands]) => commands[0]?.name !== word)
    .map(([word, commands]) => ({
      path: word,
      commands: commands.map(({ name, summary }) => [name.slice(word.length + 1), summary] as const),
      flags: [HELP],
      choices: [],
    }));
  return [{ path: '', commands: top, flags: [HELP, VERSION], choices: [] }, ...ofGroups, ...cli.commands.map(ofCommand)];
}

function ofCommand(command: Command): CompletedPlace {
  const flags = Object.entries(optionsOf(command)).map(([name, option]) => {
    const { type, enum: choices, items } = shapeOf(option);
    const value = type === 'boolean' ? {} : { value: { choices: choices ?? items?.enum ?? [] } };
    return { name: `--${kebabName(name)}`, describe: option.describe, ...value };
  });
  const [positional] = Object.values(command.positionals ?? {});
  return { path: command.name, commands: [], flags: [...flags, HELP], choices: positional?.choices ?? [] };
}
