import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { createKafka, createLogger } from '@tailwater/runtime';
import { expect, it, vi } from 'vitest';
import { createCluster } from '#runtime/kafka/kafkajs-cluster.js';
import { promptSocket } from '#runtime/kafka/prompt-socket.js';

/** What is used of kafkajs; its types do not mention it. */
interface Connection {
  readonly socket: Socket;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}
interface Pooling {
  readonly connectionPoolBuilder: { build(): Promise<{ readonly pool: readonly Connection[] }> };
}

it('connects, and sends at once what it is given', async () => {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
  const { port } = server.address() as { port: number };
  const onConnect = vi.fn();
  const socket = promptSocket({ host: '127.0.0.1', port, onConnect } as unknown as Parameters<typeof promptSocket>[0]);
  try {
    await once(socket, 'connect');
    expect(onConnect).toHaveBeenCalledOnce();
    expect(noDelay).toHaveBeenCalledWith(true);
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).toBe('ping');
  } finally {
    noDelay.mockRestore();
    socket.destroy();
    server.close();
  }
});

it('that was closed keeps no listener for each time that it is ended again, of which Node warns after ten', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const kafka = createKafka({ brokers: [`127.0.0.1:${port}`], clientId: 'test' }, createLogger({ name: 'test', level: 'silent' }));
  const cluster = createCluster(kafka) as unknown as Pooling;
  const { pool } = await cluster.connectionPoolBuilder.build();
  const connection = pool[0] as Connection;
  try {
    await connection.connect();
    await vi.waitFor(() => expect(connection.socket.destroyed).toBe(true));
    for (let times = 0; times < 20; times += 1) await connection.disconnect();
    expect(connection.socket.listenerCount('connect')).toBeLessThan(2);
  } finally {
    server.close();
  }
});
