import {
  createLogger,
  createMetrics,
  type Health,
  type StatusServer,
  type StatusServerOptions,
  startStatusServer,
  TailwaterError,
} from '@tailwater/runtime';
import { afterEach, describe, expect, it } from 'vitest';

const running: StatusServer[] = [];

async function start(options: Partial<StatusServerOptions> = {}): Promise<StatusServer> {
  const server = await startStatusServer({
    port: 0,
    logger: createLogger({ name: 'x', level: 'silent' }),
    metrics: createMetrics(),
    health: () => ({ ready: true, reasons: [] }),
    status: () => ({}),
    ...options,
  });
  running.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

describe('the status server', () => {
  it('takes a free port of the loopback and says which', async () => {
    const { url } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
    const response = await fetch(`${url}/healthz`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({ status: 'alive', uptimeSeconds: expect.any(Number) });
  });

  it('is ready or says why not', async () => {
    let health: Health = { ready: false, reasons: ['connecting to Kafka'] };
    const { url } = await start({ health: () => health });
    const before = await fetch(`${url}/readyz`);
    expect([before.status, await before.json()]).toEqual([503, { status: 'not ready', reasons: ['connecting to Kafka'] }]);
    health = { ready: true, reasons: [] };
    const after = await fetch(`${url}/readyz`);
    expect([after.status, await after.json()]).toEqual([200, { status: 'ready', reasons: [] }]);
  });

  it('gives the metrics to Prometheus', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'tailwater_test_total', help: 'x' }).inc(2);
    const { url } = await start({ metrics });
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('tailwater_test_total 2');
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const other = await fetch(`${url}/metrics`, { headers: { accept } });
    expect(other.headers.get('content-type')).toContain('application/openmetrics-text');
    expect(await other.text()).toMatch(/\n# EOF\n$/);
  });

  it('gives the status as JSON: 63-bit integers exactly, no secrets', async () => {
    const { url } = await start({
      status: async () => ({
        version: 9_007_199_254_740_993n,
        lag: new Map([['a.b', 1]]),
        kinds: new Set(['x']),
        mongo: 'mongodb://u:hunter2@h',
        token: 'hunter2',
      }),
    });
    expect(await (await fetch(`${url}/status`)).json()).toEqual({
      version: '9007199254740993',
      lag: { 'a.b': 1 },
      kinds: ['x'],
      mongo: 'mongodb://u:***@h',
      token: '***',
    });
  });

  it('answers 404 to everything else', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/status/x`)).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])
      expect((await fetch(`${url}/status`, { method })).status, method).toBe(404);
  });

  it('answers 500 when the status cannot be had, and goes on', async () => {
    const { url } = await start({ status: () => Promise.reject(new TailwaterError('TW1101', { address: 'mongodb://u:hunter2@h' })) });
    const response = await fetch(`${url}/status`);
    expect([response.status, await response.json()]).toEqual([500, { code: 'TW1101', error: 'Cannot reach MongoDB at mongodb://u:***@h' }]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('asks for the token where one is set, but not orchestrators', async () => {
    const { url } = await start({ token: 'hunter2' });
    expect((await fetch(`${url}/status`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await fetch(`${url}/status`, { headers: { authorization: 'Bearer hunter2' } })).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('says when the port is in use, and when the address is not ours', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    await expect(start({ port })).rejects.toMatchObject({
      code: 'TW1401',
      message: `The status server cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'TW1402' });
    await expect(start({ port: 70_000 })).rejects.toMatchObject({ code: 'TW1402' });
  });

  it('closes although a client keeps its connection', async () => {
    const server = await start();
    await (await fetch(`${server.url}/healthz`)).text();
    await server.close();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });
});
