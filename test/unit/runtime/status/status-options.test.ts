import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createLogger, createMetrics, type Logger, loadOptions, startStatusServer, statusListen, statusOptions } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { Certificates } from '#test/support/certificates.js';

const quiet = createLogger({ name: 'x', level: 'silent' });

/** The warnings that these flags bring. */
function warnings(flags: Record<string, string[]>): string[] {
  const said: string[] = [];
  const logger = { warn: (_fields: object, text: string) => said.push(text) } as unknown as Logger;
  statusListen(loadOptions(statusOptions, { flags, env: {} }), logger);
  return said;
}

describe('where the status server listens', () => {
  it('is this machine alone, unless somebody says otherwise', () => {
    expect(statusListen(loadOptions(statusOptions, { flags: {}, env: {} }), quiet)).toEqual({ host: '127.0.0.1', port: 0 });
    expect(warnings({})).toEqual([]);
    expect(warnings({ statusHost: ['localhost'] })).toEqual([]);
    expect(warnings({ statusHost: ['::1'] })).toEqual([]);
  });

  it('beyond this machine it warns of a missing token, and of one in the clear', () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'status.example'])
      expect(warnings({ statusHost: [host] })).toEqual([expect.stringContaining('--status-token')]);
    expect(warnings({ statusHost: ['0.0.0.0'], statusToken: ['t'] })).toEqual([expect.stringContaining('--status-tls-cert')]);
  });

  it('speaks HTTPS with a certificate', async () => {
    await using authority = await Certificates.create();
    const { cert, key } = await authority.issue('status');
    const flags = { statusTlsCert: [cert], statusTlsKey: [key], statusToken: ['t'] };
    const listen = statusListen(loadOptions(statusOptions, { flags, env: {} }), quiet);
    const rest = { logger: quiet, metrics: createMetrics(), health: () => ({ ready: true, reasons: [] }), status: () => ({}) };
    const server = await startStatusServer({ ...listen, ...rest });
    try {
      expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      const ca = await readFile(authority.ca);
      const ask = (path: string, headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          get(`${server.url}${path}`, { ca, headers, agent: false }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
        });
      expect(await ask('/healthz', {})).toBe(200);
      expect(await ask('/status', {})).toBe(401);
      expect(await ask('/status', { authorization: 'Bearer t' })).toBe(200);
    } finally {
      await server.close();
    }
  });

  it('needs certificate and key', () => {
    expect(() => warnings({ statusTlsKey: ['/none'] })).toThrow(expect.objectContaining({ code: 'TW1007' }));
    expect(() => warnings({ statusTlsCert: ['/none'] })).toThrow(expect.objectContaining({ code: 'TW1017' }));
  });
});
