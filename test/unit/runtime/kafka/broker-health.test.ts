import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { waitFor } from '@tailwater/devstack';
import { createLogger } from '@tailwater/runtime';
import { expect, it } from 'vitest';
import { BrokerHealth } from '#runtime/kafka/broker-health.js';

it('says once that a broker cannot be reached, and once that it can, when a connection to it has lasted', async () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) };
  const health = new BrokerHealth(createLogger({ name: 'x', format: 'json', destination }));
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = () => health.socketFactory({ host: '127.0.0.1', port, ssl: undefined as never, onConnect: () => {} });
  try {
    health.failed(`127.0.0.1:${port}`, 'connect ECONNREFUSED');
    health.failed(`127.0.0.1:${port}`, 'connect ECONNREFUSED');
    const socket = connect();
    await waitFor(() => lines.length === 2, { describe: 'the recovery' });
    expect(lines).toEqual([
      `The Kafka broker 127.0.0.1:${port} cannot be reached, trying again until it can: connect ECONNREFUSED`,
      expect.stringMatching(/^The Kafka broker 127\.0\.0\.1:\d+ can be reached again, after \d/),
    ]);
    socket.destroy();
  } finally {
    server.close();
  }
});
