// Real child processes of the built package: signals and exit codes cannot be had otherwise.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const built = new URL('../../../../packages/runtime/dist/index.js', import.meta.url).href;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-b', 'packages/runtime'], {
    cwd: root,
  });
}, 60_000);

/** Runs the statements as a program's `main(signal)`; `ready` is what it prints once it is to be looked at. */
function start(
  statements: string,
  deps = '{}',
): {
  child: ChildProcess;
  ready: Promise<void>;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
} {
  const program = `import { runProcess, createLogger, TailwaterError, sleep } from ${JSON.stringify(built)};
    await runProcess(async (signal) => { ${statements} }, ${deps});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const ready = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
      if (output.stdout.includes('ready')) resolve();
    });
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, ready, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...output })) };
}

const untilStopped = `console.log('ready'); await new Promise((resolve) => { const t = setInterval(() => {}, 1e6); signal.addEventListener('abort', () => { clearInterval(t); resolve(); }); });`;

describe.concurrent('runProcess', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('drains and exits 0 on %s', async (name) => {
    const { child, ready, ended } = start(`${untilStopped} console.log('drained because of', signal.reason.signalName);`);
    await ready;
    child.kill(name);
    expect(await ended).toMatchObject({ code: 0, stdout: `ready\ndrained because of ${name}\n`, stderr: '' });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('exits at once on a second %s', async (name, code) => {
    const { child, ready, ended } = start(
      `setInterval(() => {}, 1e6); signal.addEventListener('abort', () => console.log('draining')); console.log('ready'); await new Promise(() => {});`,
    );
    await ready;
    child.kill(name);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.kill(name);
    expect((await ended).code).toBe(code);
  });

  it('ends within the time that it was given, and says what was left', async () => {
    const { child, ready, ended } = start(
      `setInterval(() => {}, 1e6); console.log('ready'); await new Promise(() => {});`,
      `{ shutdownTimeoutMs: () => 200, unfinished: () => ['the pipeline', 'the connections to MongoDB'], onUnfinished: () => new Promise(() => {}) }`,
    );
    await ready;
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(75);
    expect(stderr.replaceAll('\n', ' ')).toMatch(
      /^TW1404 Not everything was finished within 0\.2 s after the signal\. Left: the pipeline, the connections to MongoDB /,
    );
  });

  it('exits 0 when main rejects because it was aborted', async () => {
    const { child, ready, ended } = start(`${untilStopped} signal.throwIfAborted();`);
    await ready;
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('ends although something is still open', async () => {
    expect(await start(`setInterval(() => {}, 1e6);`).ended).toMatchObject({ code: 0 });
  });

  it('prints an error and takes its exit code: 2 for usage, 1 for the rest', async () => {
    const usage = await start(`throw new TailwaterError('TW1018', { program: 'producer' });`).ended;
    expect(usage).toMatchObject({ code: 2, stdout: '' });
    expect(usage.stderr).toMatch(/^TW1018 producer needs a command\n.*--help/);
    const unreachable = await start(`throw new TailwaterError('TW1101', { address: 'mongodb://u:hunter2@h' });`).ended;
    expect(unreachable.code).toBe(1);
    expect(unreachable.stderr).not.toMatch(/hunter2|\n {4}at /);
    const plain = await start(`throw new Error('boom');`).ended;
    expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('TW1499 Unexpected error: Error: boom') });
  });

  it.each([
    `setTimeout(() => { throw new Error('boom'); }); await new Promise(() => {});`,
    `void Promise.reject(new Error('boom')); await new Promise((resolve) => setTimeout(resolve, 1e6));`,
  ])('exits 70 for what nobody caught: %s', async (statements) => {
    expect(await start(statements).ended).toMatchObject({ code: 70, stderr: expect.stringContaining('Error: boom') });
  });

  it('keeps an exit code that main chose', async () => {
    expect((await start(`process.exitCode = 3;`).ended).code).toBe(3);
  });

  it('loses no output and no log line on its way out', async () => {
    const { code, stdout, stderr } = await start(`
      const logger = createLogger({ name: 'x', format: 'json' });
      for (let i = 0; i < 2000; i++) { logger.info({ i }, 'line'); process.stdout.write('y'.repeat(99) + '\\n'); }
      throw new TailwaterError('TW1018', { program: 'x' });`).ended;
    expect(code).toBe(2);
    expect(stdout).toHaveLength(200_000);
    expect(stderr.split('\n').filter((line) => line.includes('"msg":"line"'))).toHaveLength(2000);
    expect(stderr).toContain('TW1018');
  });

  it('ends quietly when its reader has gone', async () => {
    const { child, ready, ended } = start(`console.log('ready'); for (;;) { process.stdout.write('x'.repeat(9999)); await sleep(1); }`);
    await ready;
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});
