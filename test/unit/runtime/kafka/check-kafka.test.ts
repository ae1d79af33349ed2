// Real sockets: a port where nobody listens, and a server that accepts and never answers.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { checkKafka, createKafka, createLogger } from '@tailwater/runtime';
import { afterEach, describe, expect, it } from 'vitest';

const logger = createLogger({ name: 'x', level: 'silent' });
const servers: Server[] = [];
const sockets: Socket[] = [];

async function listen(): Promise<string> {
  const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

describe('checkKafka', () => {
  it('names every broker when nobody answers, and why', async () => {
    const address = await listen();
    servers[0]?.close();
    const kafka = createKafka({ brokers: [address, '127.0.0.1:1'], clientId: 'x' }, logger);
    await expect(checkKafka(kafka, { timeoutMs: 400 })).rejects.toMatchObject({
      code: 'TW1201',
      message: `Cannot reach Kafka at ${address},127.0.0.1:1`,
      cause: expect.objectContaining({ message: expect.stringContaining('ECONNREFUSED') }),
    });
  });

  it('does not wait for a server that accepts and says nothing', async () => {
    const kafka = createKafka({ brokers: [await listen()], clientId: 'x' }, logger);
    const start = performance.now();
    await expect(checkKafka(kafka, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'TW1201' });
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  it('tells one that hangs up from one that is not there', async () => {
    const address = await listen();
    servers[0]?.on('connection', (socket: Socket) => socket.on('data', () => socket.end()));
    const kafka = createKafka({ brokers: [address], clientId: 'x' }, logger);
    await expect(checkKafka(kafka, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'TW1217', retriable: true });
  });

  it('ends when the signal aborts', async () => {
    const kafka = createKafka({ brokers: [await listen()], clientId: 'x' }, logger);
    const stop = new AbortController();
    const checking = checkKafka(kafka, { timeoutMs: 60_000, signal: stop.signal });
    await once(servers[0] as Server, 'connection');
    stop.abort();
    await expect(checking).rejects.toMatchObject({ name: 'AbortError' });
  });
});
