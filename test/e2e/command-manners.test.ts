// What shells and supervisors rely on: exit codes, a log that holds the end, and silence when a reader has seen enough. No server is needed.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tailwater/devstack';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '#test/support/run-command.js';

const directory = mkdtempSync(join(tmpdir(), 'tailwater-manners-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.concurrent('the commands', () => {
  it.each([
    [0, ['--version']],
    [0, ['start', '--help']],
    [2, []],
    [2, ['strat']],
    [2, ['start', '--log-level', 'loud', '--target', 'es', '--target-url', 'http://127.0.0.1:1']],
    [2, ['completion', 'tcsh']],
  ])('exit %i for %j', async (code, args) => {
    expect((await runCommand('consumer', args)).code).toBe(code);
  });

  it('exit 1 where something fails, and the log file holds why', async () => {
    const file = join(directory, 'consumer.log');
    const broker = `127.0.0.1:${await freePort()}`;
    const args = ['start', '--target', 'es', '--target-url', 'http://127.0.0.1:1', '--kafka', broker, '--log-file', file];
    const { code, stderr, stdout } = await runCommand('consumer', args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^TW1201 /);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ level: 'fatal', msg: expect.stringContaining('ended by TW1201: ') });
    const unwritable = await runCommand('consumer', [...args.slice(0, -1), join(directory, 'absent', 'x.log')]);
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toMatch(/^TW1405 .*there is no directory/);
  });

  it('are silent when a reader closes the pipe', async () => {
    const bin = fileURLToPath(new URL('../../packages/producer/bin/producer.js', import.meta.url));
    const shell = `"${process.execPath}" "${bin}" start --help | head -1; echo "code \${PIPESTATUS[0]}"`;
    const output = await new Promise<string[]>((resolve, reject) =>
      execFile('bash', ['-c', shell], (error, stdout, stderr) => (error === null ? resolve([stdout, stderr]) : reject(error))),
    );
    expect(output).toEqual([expect.stringMatching(/^\S.*\ncode 0\n$/), '']);
  });
});
