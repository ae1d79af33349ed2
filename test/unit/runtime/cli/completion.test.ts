// The scripts in real shells, as far as they are installed; bash is everywhere.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeCli } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { consumerProgram } from '#consumer/cli/program.js';
import { producerProgram } from '#producer/cli/program.js';
import { completionScript } from '#runtime/cli/completion-script.js';

const programs = { producer: describeCli(producerProgram), consumer: describeCli(consumerProgram) };
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;
const directory = mkdtempSync(join(tmpdir(), 'tailwater-completion-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (shell: string, ...args: string[]): string =>
  execFileSync(shell, args, { encoding: 'utf8', env: { ...process.env, HOME: directory } });

function scriptFile(shell: 'bash' | 'zsh' | 'fish', program: 'producer' | 'consumer'): string {
  const file = join(directory, `${program}.${shell}`);
  writeFileSync(file, completionScript(shell, programs[program]));
  return file;
}

/** As bash does it on a key press: the words with the cursor at the end of the last; `--flag=value` are three. */
function bash(program: 'producer' | 'consumer', ...words: string[]): string[] {
  const code = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { echo "compopt $*"; }
    _${program}_completion; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = run('bash', '-c', code, 'bash', scriptFile('bash', program), program, ...words);
  return output.split('\n').filter((line) => line !== '');
}

/** Described ones as `word:description`. */
function zsh(program: 'producer' | 'consumer', ...words: string[]): string[] {
  const code = `file=$1; shift; compdef() {}; compadd() { [[ $1 == -- ]] && shift; print -l -- "$@" }; _files() { print files }
    compset() { PREFIX=\${PREFIX#*=} }; _describe() { [[ $1 == -o ]] && shift; shift; print -l -- "\${(@P)1}" }
    words=("$@"); CURRENT=$#; PREFIX=$words[-1]; source $file; _${program}`;
  const output = run('zsh', '-f', '-c', code, 'zsh', scriptFile('zsh', program), program, ...words);
  return output.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  it('knows commands, those inside a group, and what is begun', () => {
    expect(bash('producer', '')).toEqual(expect.arrayContaining(['start', 'status', 'reconcile', 'completion', '--version']));
    expect(bash('consumer', 'dead')).toEqual(['dead-letters']);
    expect(bash('consumer', 'dead-letters', '')).toEqual(['list', 'show', 'retry', 'discard', '--help']);
    expect(bash('producer', 'completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  it('knows the flags of each command', () => {
    expect(bash('consumer', 'dead-letters', 'discard', '--y')).toEqual(['--yes']);
    expect(bash('consumer', 'dead-letters', 'list', '--y')).toEqual([]);
    expect(bash('producer', 'start', '--on-')).toEqual(['--on-gap', '--on-refused']);
  });

  it('knows the choices of a flag, written either way, and leaves other values to the names of files', () => {
    expect(bash('producer', 'start', '--source', '')).toEqual(['oplog', 'change-stream']);
    expect(bash('producer', 'start', '--source', '=', 'ch')).toEqual(['change-stream']);
    expect(bash('producer', 'start', '--source', '=')).toEqual(['oplog', 'change-stream']);
    expect(bash('producer', 'start', '--log-file', '')).toEqual(['compopt -o default']);
    // A flag without a value does not swallow the next word.
    expect(bash('consumer', 'dead-letters', 'discard', '--all', '--y')).toEqual(['--yes']);
  });
});

describe.runIf(has('zsh'))('completion in zsh, where it is installed', () => {
  it('knows commands, flags and choices, with what they are for', () => {
    expect(zsh('producer', '')).toContainEqual(expect.stringMatching(/^start:.{10}/));
    expect(zsh('consumer', 'dead-letters', '')).toContainEqual(expect.stringMatching(/^discard:.{10}/));
    expect(zsh('consumer', 'dead-letters', 'discard', '--')).toContainEqual(expect.stringMatching(/^--yes:.{10}/));
    expect(zsh('producer', 'start', '--source', '')).toEqual(['oplog', 'change-stream']);
    expect(zsh('producer', 'start', '--source=')).toEqual(['oplog', 'change-stream']);
    expect(zsh('producer', 'start', '--log-file', '')).toEqual(['files']);
  });
});

describe.runIf(has('fish'))('completion in fish, where it is installed', () => {
  const fish = (program: 'producer' | 'consumer', line: string) =>
    run('fish', '--no-config', '-c', `source ${scriptFile('fish', program)}; complete -C ${JSON.stringify(line)}`);

  it('knows commands, flags and choices, with what they are for', () => {
    expect(fish('producer', 'producer st')).toMatch(/^start\t.{10}/m);
    expect(fish('consumer', 'consumer dead-letters di')).toMatch(/^discard\t.{10}/m);
    expect(fish('consumer', 'consumer dead-letters discard --y')).toMatch(/^--yes\t.{10}/m);
    expect(fish('producer', 'producer start --source ch')).toMatch(/^change-stream/m);
  });
});
