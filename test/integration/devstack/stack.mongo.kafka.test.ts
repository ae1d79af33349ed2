// The stack as a whole: from code, and from the command line, which is killed in the ways that a program can end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort, startStack, waitFor } from '@tailwater/devstack';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processesNaming } from './support/processes.js';

const COMMAND = fileURLToPath(new URL('../../../packages/devstack/dist/cli/main.js', import.meta.url));

describe('startStack', () => {
  it('starts what is named, and stops all of it', async () => {
    const stack = await startStack({ mongo: { oplogSizeMb: 16 }, kafka: {} });
    const pids = [stack.mongo.pid, stack.kafka.pid];
    await stack.kafka.createTopic('t');
    await (await stack.mongo.client()).db('admin').command({ ping: 1 });
    await stack.stop();
    expect(pids.every((pid) => pid !== undefined)).toBe(true);
    expect([stack.mongo.pid, stack.kafka.pid]).toEqual([undefined, undefined]);
  });

  it('leaves nothing running when a part does not come up', async () => {
    const port = await freePort();
    await expect(startStack({ mongo: { port }, kafka: { properties: { 'process.roles': 'spectator' } } })).rejects.toThrow(/spectator/);
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, { serverSelectionTimeoutMS: 300, directConnection: true });
    await expect(client.connect()).rejects.toThrow();
    await client.close();
  });
});

describe('stack up', () => {
  let temporary: string;
  let running: ChildProcess | undefined;
  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'stack-test-'));
  });
  afterEach(async () => {
    running?.kill('SIGKILL');
    await waitFor(() => processesNaming(temporary).length === 0, { describe: 'the end of all servers' });
    await rm(temporary, { recursive: true, force: true });
  });

  /** Its servers keep everything under `temporary`, so that what is left is seen. */
  async function up(...args: string[]): Promise<{ child: ChildProcess; urls: Record<string, string> }> {
    const child = spawn(process.execPath, [COMMAND, 'up', ...args], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    running = child;
    for await (const line of createInterface({ input: child.stdout })) return { child, urls: JSON.parse(line) as Record<string, string> };
    throw new Error('it ended without a line on stdout');
  }

  async function nothingIsLeft(): Promise<void> {
    await waitFor(() => processesNaming(temporary), { describe: 'the end of all servers', until: (pids) => pids.length === 0 });
    await waitFor(() => readdir(temporary), { describe: 'an empty temporary folder', until: (names) => names.length === 0 });
  }

  it('prints the URLs, and stops everything at SIGINT with exit code 0', async () => {
    const port = await freePort();
    const { child, urls } = await up('mongo', '--ports', `mongo=${port}`);
    expect(urls).toEqual({ mongo: `mongodb://127.0.0.1:${port}/?replicaSet=rs0` });
    expect(processesNaming(temporary)).toHaveLength(1);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(processesNaming(temporary)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('leaves nothing behind when it is killed with SIGKILL', async () => {
    const { child, urls } = await up('mongo3', 'kafka');
    expect(Object.keys(urls)).toEqual(['mongo3', 'kafka']);
    expect(processesNaming(temporary)).toHaveLength(4);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await nothingIsLeft();
  });

  it('leaves nothing behind when it is interrupted while servers are starting', async () => {
    const child = spawn(process.execPath, [COMMAND, 'up', 'kafka'], { env: { ...process.env, TMPDIR: temporary }, stdio: 'ignore' });
    running = child;
    await waitFor(() => processesNaming(temporary).length > 0, { describe: 'the start of a server' });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await nothingIsLeft();
  });
});
