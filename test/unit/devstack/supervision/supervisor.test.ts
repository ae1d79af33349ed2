// On real processes, of the smallest kind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DevstackError } from '#devstack/errors.js';
import { Supervisor } from '#devstack/supervision/supervisor.js';
import { waitFor } from '#devstack/support/wait-for.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('Supervisor', () => {
  let supervisor: Supervisor;
  let logFile: string;
  const shell = (script: string, env: Record<string, string> = {}) => ({ command: 'sh', args: ['-c', script], env, logFile });

  beforeEach(async () => {
    supervisor = await Supervisor.launch('unit');
    logFile = join(supervisor.directory, 'unit.log');
  });
  afterEach(() => supervisor.close());

  it('runs a command in its directory and appends what it says to the log', async () => {
    const first = await supervisor.spawn(shell('pwd; echo "$WHO" >&2', { WHO: 'first' }));
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const second = await supervisor.spawn(shell('exit 7'));
    expect(await second.exited).toEqual({ code: 7, signal: null });
    expect(await readFile(logFile, 'utf8')).toBe(`${supervisor.directory}\nfirst\n`);
  });

  it('says when a command cannot be run', async () => {
    await expect(supervisor.spawn({ command: '/nowhere/mongod', args: [], logFile })).rejects.toThrow(/ENOENT/);
  });

  it('passes signals on, and ignores one for a process that has ended', async () => {
    const child = await supervisor.spawn(shell('exec sleep 600'));
    await child.signal('SIGTERM');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
    await expect(child.signal('SIGKILL')).resolves.toBeUndefined();
  });

  it('kills what runs, even when frozen, and removes the directory', async () => {
    const child = await supervisor.spawn(shell('exec sleep 600'));
    await child.signal('SIGSTOP');
    await supervisor.close();
    expect(isAlive(child.pid)).toBe(false);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(existsSync(supervisor.directory)).toBe(false);
    await expect(supervisor.spawn(shell('true'))).rejects.toThrow(DevstackError);
    await supervisor.close();
  });
});

describe('a supervisor that is killed itself', () => {
  it('is tidied up after by the program', async () => {
    const supervisor = await Supervisor.launch('unit');
    const child = await supervisor.spawn({ command: 'sleep', args: ['600'], logFile: '/dev/null' });
    process.kill(supervisor.pid, 'SIGKILL');
    await child.exited;
    await waitFor(() => !isAlive(child.pid), { describe: `the end of process ${child.pid}` });
    expect(existsSync(supervisor.directory)).toBe(false);
    await supervisor.close();
  });
});

describe('a program that is killed', () => {
  const script = fileURLToPath(new URL('../../../../packages/devstack/bin/supervisor.js', import.meta.url));
  // What Supervisor does, in a process of its own: run the script, ask it for a server, and say what it answered.
  const program = `
    const { spawn } = require('node:child_process');
    const supervisor = spawn(process.execPath, [${JSON.stringify(script)}, 'unit'], { detached: true, stdio: ['pipe', 'inherit', 'ignore'] });
    const spec = { command: 'sleep', args: ['600'], logFile: '/dev/null' };
    supervisor.stdin.write(JSON.stringify({ id: 1, op: 'spawn', spec }) + '\\n');`;

  it('takes its servers and their directory with it', async () => {
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const { directory } = JSON.parse((await lines.next()).value as string) as { directory: string };
    const { pid } = JSON.parse((await lines.next()).value as string) as { pid: number };
    expect(existsSync(directory) && isAlive(pid)).toBe(true);

    parent.kill('SIGKILL');
    await once(parent, 'exit');

    await waitFor(() => !isAlive(pid) && !existsSync(directory), { describe: `the end of process ${pid} and of ${directory}` });
    expect(existsSync(dirname(directory))).toBe(true);
  });
});
