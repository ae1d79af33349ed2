// What a command's help says below its options, in the order of a manual page.
import { EXIT_CODES } from '../lifecycle/exit-codes.js';
import type { CliDescription, Command } from './command.js';

const INDENT = '  ';

const FOREIGN = ['mongo-connector', [['', 'its options work too: docs/from-mongo-connector.md']]] as const;

/** @param width - columns to wrap at; what would be too narrow for words is not wrapped below 40 */
export function helpSections(cli: CliDescription, command: Command, width: number): string {
  const others = cli.commands.filter(({ name }) => name !== command.name).map(({ name }) => `${cli.name} ${name}`);
  const sections: readonly (readonly [title: string, lines: readonly (readonly [head: string, text: string])[]])[] = [
    [
      'Environment',
      [
        [
          'TAILWATER_…',
          'each option by its name: --status-port is TAILWATER_STATUS_PORT. A flag beats the variable, the variable beats the file',
        ],
        ['NO_COLOR, FORCE_COLOR', 'no colours on a terminal; colours anywhere'],
      ],
    ],
    ['Files', [['--config', 'YAML or JSON, see docs/configuration.md, or mongo-connector’s config.json; none is read that is not named']]],
    ...(command.takesForeignOptions === true ? [FOREIGN] : []),
    ['Exit codes', EXIT_CODES.map(([code, meaning]) => [String(code), meaning])],
    ['See also', [['', `${others.join(', ')}; docs/command-line.md, docs/errors.md`]]],
  ];
  return sections
    .map(([title, lines]) => `${title}:\n${lines.map(([head, text]) => entry(head, text, Math.max(width, 40))).join('\n')}`)
    .join('\n\n');
}

function entry(head: string, text: string, width: number): string {
  const hanging = head === '' ? INDENT : INDENT + INDENT;
  const lines: string[] = [];
  let line = INDENT + head;
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = hanging + word;
    } else line = isFirst ? line + word : `${line}${line === INDENT + head ? '  ' : ' '}${word}`;
  }
  return [...lines, line].join('\n');
}
