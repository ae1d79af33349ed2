// A command of the command line against a Kafka that freezes behind its first answer: it has to end (promise H). The clock is not the real one, the sockets are.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createKafka, createLogger, type KafkaClient, partitionEnds, readRanges } from '@tailwater/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const logger = createLogger({ name: 'x', level: 'silent' });
const MINUTE_MS = 60_000;
const sockets: Socket[] = [];
let server: Server;
let address = '';

beforeEach(async () => {
  server = createServer((socket) => void sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** How the work ends, and after how many milliseconds of the clock at most. */
async function endOf(work: Promise<unknown>): Promise<{ readonly error: unknown; readonly ms: number }> {
  let ended: { error: unknown } | undefined;
  const began = Date.now();
  work.then(
    () => {
      ended = { error: undefined };
    },
    (error: unknown) => {
      ended = { error };
    },
  );
  while (ended === undefined && Date.now() - began < 30 * MINUTE_MS) {
    await vi.advanceTimersByTimeAsync(500);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return { error: ended?.error ?? new Error('It does not end'), ms: Date.now() - began };
}

const client = (): KafkaClient => createKafka({ brokers: [address], clientId: 'x' }, logger, 'command');

async function useAdmin(kafka: KafkaClient): Promise<unknown> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await Promise.all([admin.listTopics(), partitionEnds(admin, ['a'])]);
  } finally {
    await admin.disconnect();
  }
}

async function readSome(kafka: KafkaClient): Promise<void> {
  const range = { topic: 'a', partition: 0, begin: 0, end: 9 };
  for await (const _ of readRanges(kafka, [range], new AbortController().signal)) break;
}

describe('a command', () => {
  it.each([
    ['asks', useAdmin],
    ['reads', readSome],
  ])('that %s ends with an error when Kafka answers no more', async (_, use) => {
    const { error, ms } = await endOf(use(client()));
    expect(error).not.toMatchObject({ message: 'It does not end' });
    expect(ms).toBeLessThan(3 * MINUTE_MS);
  });

  it('waits half a minute for a broker that begins again', async () => {
    server.close();
    await once(server, 'close');
    const { ms } = await endOf(useAdmin(client()));
    expect(ms).toBeGreaterThan(20_000);
    expect(ms).toBeLessThan(MINUTE_MS);
  });
});
