// Against real sockets of this machine.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { waitFor } from '@tailwater/devstack';
import { type LogSettings, openLog } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { Syslog } from '#runtime/logging/syslog.js';
import { parseSyslogAddress } from '#runtime/logging/syslog-address.js';

const settings = (logSyslog: string): LogSettings => ({
  logLevel: ['debug'],
  logFormat: undefined,
  logFile: undefined,
  logRotateSize: '0',
  logRotateEvery: undefined,
  logKeep: 1,
  logSyslog,
  logSyslogFacility: 'local3',
});

/** facility local3 = 19 */
const header = (severity: number) =>
  new RegExp(
    `^<${19 * 8 + severity}>1 \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ${hostname()} producer ${process.pid} - - (\\{.*\\})$`,
    's',
  );

function bodyOf(message: string | undefined, severity: number): Record<string, unknown> {
  const [, body = ''] = header(severity).exec(message ?? '') ?? [];
  expect(body, message).not.toBe('');
  return JSON.parse(body) as Record<string, unknown>;
}

/** The messages in a stream of them, each after its length in bytes. */
function unframe(stream: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < stream.length; ) {
    const space = stream.indexOf(' ', at);
    const length = Number(stream.subarray(at, space).toString());
    messages.push(stream.subarray(space + 1, space + 1 + length).toString());
    at = space + 1 + length;
  }
  return messages;
}

describe('the log to syslog', () => {
  it('is a datagram for each line over UDP, with the severity of its level and no secret', async () => {
    const server = createSocket('udp4');
    const messages: string[] = [];
    server.on('message', (message) => messages.push(message.toString()));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const log = await openLog('producer', settings(`udp://127.0.0.1:${server.address().port}`));
      log.logger.info({ url: 'mongodb://u:hunter2@h' }, 'Grüße');
      log.logger.child({ component: 'kafka' }).warn('Careful');
      log.logger.debug('Detail');
      log.logger.fatal('The end');
      await log.close();
      await waitFor(() => messages.length === 4, { describe: 'four datagrams' });
      expect(bodyOf(messages[0], 6)).toMatchObject({ level: 'info', msg: 'Grüße' });
      expect(bodyOf(messages[1], 4)).toMatchObject({ component: 'kafka', msg: 'Careful' });
      expect(bodyOf(messages[2], 7)).toMatchObject({ msg: 'Detail' });
      expect(bodyOf(messages[3], 2)).toMatchObject({ msg: 'The end' });
      expect(messages.join('')).not.toContain('hunter2');
    } finally {
      server.close();
    }
  });

  it('is framed by lengths over TCP, and complete when the log is closed', async () => {
    const parts: Buffer[] = [];
    const server = createServer((socket) => socket.on('data', (part) => parts.push(part)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const log = await openLog('producer', settings(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`));
      for (let line = 0; line < 1000; line += 1) log.logger.info({ line }, 'Grüße');
      await log.close();
      await waitFor(() => unframe(Buffer.concat(parts)).length === 1000, { describe: 'a thousand messages' });
      expect(bodyOf(unframe(Buffer.concat(parts)).at(-1), 6)).toMatchObject({ line: 999, msg: 'Grüße' });
    } finally {
      server.close();
    }
  });

  it('goes to stderr while the server is away, says so once, and comes back', async () => {
    const sockets: Socket[] = [];
    const received: string[] = [];
    const listen = async (port: number) => {
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.on('data', (part) => received.push(part.toString()));
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return server;
    };
    const first = await listen(0);
    const { port } = first.address() as AddressInfo;
    const stderr: string[] = [];
    const told: string[] = [];
    const fallback = {
      write: (line: string) => void stderr.push(line),
      failed: ({ code }: { code: string }) => void told.push(code),
      recovered: () => void told.push('recovered'),
    };
    const syslog = new Syslog({ name: 'producer', facility: 'user', address: { protocol: 'tcp', host: '127.0.0.1', port }, fallback });
    await syslog.open();
    syslog.write('one\n', 30);
    await waitFor(() => received.join('').includes('one'), { describe: 'the first line' });
    first.close();
    for (const socket of sockets) socket.destroy();
    await waitFor(() => told.length === 1, { describe: 'the loss to be noticed' });
    syslog.write('two\n', 30);
    syslog.write('three\n', 30);
    expect(stderr).toEqual(['two\n', 'three\n']);
    const second = await listen(port);
    try {
      await waitFor(() => told.length === 2, { describe: 'the recovery' });
      expect(told).toEqual(['TW1084', 'recovered']);
      syslog.write('four\n', 30);
      await syslog.close();
      await waitFor(() => received.join('').includes('four'), { describe: 'a line after the recovery' });
      expect(stderr).toHaveLength(2);
    } finally {
      for (const socket of sockets) socket.destroy();
      second.close();
    }
  });

  it.each([
    ['udp://logs.example', { protocol: 'udp', host: 'logs.example', port: 514 }],
    ['TCP://logs.example/', { protocol: 'tcp', host: 'logs.example', port: 601 }],
    ['10.0.0.1:5514', { protocol: 'udp', host: '10.0.0.1', port: 5514 }],
    ['tcp://[::1]:6514', { protocol: 'tcp', host: '::1', port: 6514 }],
  ])('reads %s', (text, address) => expect(parseSyslogAddress(text)).toEqual(address));

  it.each(['/dev/log', 'unix:///dev/log', 'http://h:1', 'h:0', 'h:70000', 'a b', '::1'])('refuses %s', (text) => {
    expect(() => parseSyslogAddress(text)).toThrow(expect.objectContaining({ code: 'TW1083' }));
  });
});
