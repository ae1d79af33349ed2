// Every command of the documentation is one that the programs take: the command exists, its flags do, and their values are valid.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loadOptions } from '@tailwater/runtime';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { documents, PROJECT, shellCommands, wordsOf } from '#devstack/docs/markdown.js';
import { type CliDescription, optionsOf } from '#runtime/cli/command.js';
import { parseArguments } from '#runtime/cli/parse-arguments.js';

/** The programs as their main modules describe them, which are kept from running. */
const programs = vi.hoisted(() => new Map<string, CliDescription>());
vi.mock('@tailwater/runtime', async (original) => ({
  ...(await original<object>()),
  createCli: (description: CliDescription) => {
    programs.set(description.name, { ...description, version: '0' });
    return { run: async () => undefined };
  },
}));
beforeAll(async () => {
  await import('#producer/cli/main.js');
  await import('#consumer/cli/main.js');
});

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
    const parsed = parseArguments(programs.get(name) as CliDescription, args);
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
