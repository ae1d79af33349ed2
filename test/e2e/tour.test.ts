// The tour, as a newcomer types it: each command of docs/tour.md is run, on servers at other ports.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startStack, waitFor } from '@tailwater/devstack';
import { afterAll, expect, it } from 'vitest';
import { PROJECT, shellCommands } from '#devstack/docs/markdown.js';

const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
});

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

function start(command: string): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
  // `exec`, so that a signal reaches the command and not the shell.
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output += String(part);
    });
  }
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, output })) };
}

it('every command of the tour does what the tour says', async () => {
  await using stack = await startStack({ mongo: {}, kafka: {}, elasticsearch: {} });
  const ports = new Map([
    ['27017', new URL(stack.mongo.uri).port],
    ['9092', stack.kafka.brokers[0]?.split(':')[1] ?? ''],
    ['9200', String(stack.elasticsearch.port)],
  ]);
  const commands = shellCommands(readFileSync(join(PROJECT, 'docs', 'tour.md'), 'utf8'))
    // What starts this test has installed already, and the servers are up.
    .filter((command) => !command.startsWith('npm '))
    .map((command) => command.replace(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(port)}`))
    .map((command) => command.replace(/^npx (producer|consumer)/, (_, name: string) => `node packages/${name}/bin/${name}.js`));
  const documents: string[] = [];
  for (const command of commands) {
    if (/ start /.test(command)) {
      running.push(start(command).child);
    } else if (command.startsWith('curl ')) {
      const expected = command.includes('/_doc/1') ? '"state" : "paid"' : '"found" : false';
      const { output } = await waitFor(() => start(command).ended, {
        until: (ran) => ran.output.includes(expected),
        describe: `${expected} from ${command}`,
        timeoutMs: 120_000,
        intervalMs: 500,
      });
      documents.push(output);
    } else {
      const { code, output } = await start(command).ended;
      expect({ command, code, output }).toMatchObject({ code: 0 });
    }
  }
  expect(documents).toHaveLength(2);
  expect(running).toHaveLength(2);
  for (const child of running) expect(child.exitCode).toBeNull();
  await Promise.all(
    running.splice(0).map(async (child) => {
      child.kill('SIGINT');
      await once(child, 'exit');
    }),
  );
});
