import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { promptSocket } from '../../../../packages/runtime/src/kafka/prompt-socket.js';

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
