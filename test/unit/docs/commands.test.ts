// Every command of the documentation is one that the programs take: the command exists, its flags do, and their values are valid.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Command, loadOptions } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { discardLettersCommand } from '../../../packages/consumer/src/cli/dead-letters/discard-command.js';
import { listLettersCommand } from '../../../packages/consumer/src/cli/dead-letters/list-command.js';
import { retryLettersCommand } from '../../../packages/consumer/src/cli/dead-letters/retry-command.js';
import { showLetterCommand } from '../../../packages/consumer/src/cli/dead-letters/show-command.js';
import { replayCommand } from '../../../packages/consumer/src/cli/replay-command.js';
import { startCommand as startConsumer } from '../../../packages/consumer/src/cli/start-command.js';
import { statusCommand as consumerStatus } from '../../../packages/consumer/src/cli/status-command.js';
import { documents, PROJECT, shellCommands, wordsOf } from '../../../packages/devstack/src/docs/markdown.js';
import * as signals from '../../../packages/producer/src/cli/signal-commands.js';
import { startCommand as startProducer } from '../../../packages/producer/src/cli/start-command.js';
import { statusCommand as producerStatus } from '../../../packages/producer/src/cli/status-command.js';
import { optionsOf } from '../../../packages/runtime/src/cli/command.js';
import { parseArguments } from '../../../packages/runtime/src/cli/parse-arguments.js';

const described = { version: '0', description: '' };
const letters = [listLettersCommand, showLetterCommand, retryLettersCommand, discardLettersCommand];
const programs = {
  producer: {
    ...described,
    name: 'producer',
    commands: [startProducer, producerStatus, ...Object.values(signals)] as unknown as Command[],
  },
  consumer: {
    ...described,
    name: 'consumer',
    commands: [startConsumer, consumerStatus, replayCommand, ...letters] as unknown as Command[],
  },
};
const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

const commands = documents().flatMap((file) =>
  shellCommands(readFileSync(file, 'utf8')).map((command) => [relative(PROJECT, file), command] as const),
);
const isOurs = (command: string): boolean => /\bnpx (?:producer|consumer)\b/.test(command);

describe('commands of the documentation', () => {
  const ours = commands.filter(([, command]) => isOurs(command) && !command.includes('…'));

  it('are there', () => {
    expect(ours.length).toBeGreaterThan(15);
  });

  it.each(ours)('%s: %s', (_file, command) => {
    const text = command.replace(/^.*?\bnpx /s, '').replace(/\$\{?\w+\}?/g, 'mongodb://127.0.0.1/');
    const [name = '', ...args] = wordsOf(text.split(/ [|>&] ?/)[0] ?? '');
    const parsed = parseArguments(programs[name as keyof typeof programs], args);
    if (parsed.kind === 'help') return;
    if (parsed.kind !== 'run') throw new Error(`${command} names no command`);
    // What a file says is not known here: then only what the command line says itself is checked.
    if (parsed.flags['config'] === undefined) loadOptions(optionsOf(parsed.command), { flags: parsed.flags, env: {} });
  });
});

it.each(commands.filter(([, command]) => /^npm run /.test(command)))('%s: %s is a script', (_file, command) => {
  const [, , name = ''] = wordsOf(command.replace(/^npm run (?:-s )?/, 'npm run '));
  expect(Object.keys(scripts)).toContain(name);
});
