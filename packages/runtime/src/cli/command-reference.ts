// docs/command-line.md out of the programs' own descriptions, so that the two cannot disagree.
import { flagName, type Option } from '../config/option.js';
import { describeDefault, isRequired, shapeOf } from '../config/option-value.js';
import { EXIT_CODES } from '../lifecycle/exit-codes.js';
import { type CliDescription, type Command, optionsOf, placesOf } from './command.js';

export interface CommandPage {
  /** What stands above what is made. */
  readonly introduction: string;
  readonly programs: readonly CliDescription[];
}

export function renderCommandReference({ introduction, programs }: CommandPage): string {
  return `${introduction.trimEnd()}\n\n## Exit codes\n\n${exitCodes()}\n${programs.map(ofProgram).join('\n')}`;
}

const exitCodes = (): string =>
  ['| code | means |', '|---|---|', ...EXIT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`)].map((line) => `${line}\n`).join('');

function ofProgram(cli: CliDescription): string {
  return `## ${cli.name}\n\n${cli.description}.\n\n${cli.commands.map((command) => ofCommand(cli, command)).join('\n')}`;
}

function ofCommand(cli: CliDescription, command: Command): string {
  const name = `${cli.name} ${command.name}`;
  const usage = [name, placesOf(command), '[options]'].filter((part) => part !== '').join(' ');
  const own = Object.entries(optionsOf(command)).filter(([, option]) => !('flag' in option));
  const positionals = Object.entries(command.positionals ?? {}).map(([place, { describe }]) => `| \`${place}\` | ${cell(describe)} |`);
  const rows = [...positionals, ...own.filter(([flag]) => flag !== 'config').map(([flag, option]) => ofOption(flag, option))];
  const examples = command.examples.map(([line, text]) => `${line.replaceAll('$0', cli.name)}   # ${text}`);
  return [
    `### ${name}\n`,
    `${command.description ?? `${command.summary}.`}\n`,
    `\`${usage}\`\n`,
    ...(rows.length === 0 ? [] : [`| | |\n|---|---|\n${rows.join('\n')}\n`]),
    ...(examples.length === 0 ? [] : [`\`\`\`sh\n${examples.join('\n')}\n\`\`\`\n`]),
  ].join('\n');
}

function ofOption(name: string, option: Option): string {
  const { enum: choices } = shapeOf(option);
  const initial = describeDefault(option);
  const notes = [
    ...(isRequired(option) ? ['required'] : []),
    ...(choices === undefined ? [] : [`one of ${choices.join(', ')}`]),
    ...(initial === '' ? [] : [`default ${initial}`]),
  ];
  const flags = [...(option.alias === undefined ? [] : [`-${option.alias}`]), flagName(name)].map((flag) => `\`${flag}\``).join(', ');
  return `| ${flags} | ${cell(option.describe)}${notes.length === 0 ? '' : ` (${cell(notes.join('; '))})`} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
