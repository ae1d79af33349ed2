// A server that takes connections and never answers, as a frozen one does: a process that waits for it is stopped in time all the same.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../../../../packages/producer/bin/producer.js', import.meta.url));

it('ends with 75 when what it waits for does not come within --shutdown-timeout, and says so', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ['start', '--mongo', `mongodb://${address}/?replicaSet=rs0`, '--kafka', address, '--shutdown-timeout', '1'];
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(server, 'connection');
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  for (const socket of sockets) socket.destroy();
  server.close();
  expect(code).toBe(75);
  expect(stderr).toContain('TW1404 Not everything was finished within 1 s after the signal. Left: connecting to MongoDB');
}, 60_000);
