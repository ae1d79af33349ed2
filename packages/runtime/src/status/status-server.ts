// What a process says about itself over HTTP, to people and to orchestrators. It only reads, and binds 127.0.0.1 unless told otherwise.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { errorCodes } from '../errors/catalogue.js';
import { EXIT_USAGE } from '../errors/error-entry.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { Logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import type { TlsMaterial } from '../tls/tls-files.js';
import { toStatusJson } from './json.js';

export interface Health {
  /** Whether the process does its work at the moment. That of a standby is to stand by. */
  readonly ready: boolean;
  /** It is ready to take over, and does nothing else. */
  readonly isStandby?: boolean;
  /** Why it does not, in a few words each. */
  readonly reasons: readonly string[];
}

/** What else a process answers, to `GET` only. */
export interface StatusRoute {
  /** `/applied` */
  readonly path: string;
  /** The signal aborts when the client has gone. What it throws with a code of ours is answered with 400. */
  handle(query: URLSearchParams, signal: AbortSignal): Promise<StatusAnswer>;
}

export interface StatusAnswer {
  readonly code: number;
  readonly body: object;
}

export interface StatusServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /**
   * When given, everything but /healthz and /readyz asks for `Authorization: Bearer <token>`. Those two are for orchestrators, whose
   * probes can rarely send one, and say only whether the process works.
   */
  readonly token?: string;
  /** Certificate and key, in PEM: the server speaks HTTPS then. */
  readonly tls?: TlsMaterial;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: () => Health;
  /** The body of /status; BigInts, Maps and Sets are fine. */
  readonly status: () => Promise<object> | object;
  /** Guarded as /status is. */
  readonly routes?: readonly StatusRoute[];
}

export interface StatusServer {
  /** Where it listens, `http://host:port` or `https://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * `GET /healthz` 200 while the process lives; `/readyz` 200 or 503 with the reasons; `/metrics` Prometheus text or OpenMetrics; `/status`
 * JSON. Everything else, and every other method, is 404.
 *
 * @throws TailwaterError TW1401 when the port is in use, TW1402 when it cannot be listened on
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { host = '127.0.0.1', port, tls } = options;
  const settings = { logger: false, exposeHeadRoutes: false, forceCloseConnections: true } as const;
  const server: FastifyInstance =
    tls === undefined ? fastify(settings) : (fastify({ ...settings, https: tls }) as unknown as FastifyInstance);
  addRoutes(server, options);
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw listenError(error, host, port);
  }
  const { address, family, port: actualPort } = server.server.address() as AddressInfo;
  const url = `${tls === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`;
  options.logger.info({ url }, 'Status server is listening');
  return { url, close: () => server.close() };
}

function addRoutes(server: FastifyInstance, options: StatusServerOptions): void {
  const { logger, metrics, health, status, token, routes = [] } = options;
  const guard = token === undefined ? {} : { onRequest: bearerGuard(token) };
  const sendJson = (reply: FastifyReply, code: number, body: object) =>
    reply
      .code(code)
      .header('content-type', JSON_TYPE)
      .send(`${toStatusJson(body)}\n`);

  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  server.get('/healthz', (_request, reply) => sendJson(reply, 200, { status: 'alive', uptimeSeconds: Math.floor(process.uptime()) }));
  server.get('/readyz', (_request, reply) => {
    const { ready, isStandby = false, reasons } = health();
    const status = isStandby ? 'standby' : 'ready';
    return sendJson(reply, ready ? 200 : 503, { status: ready ? status : 'not ready', reasons });
  });
  server.get('/metrics', guard, async (request, reply) => {
    const { contentType, text } = await metrics.render(request.headers.accept);
    return reply.header('content-type', contentType).send(text);
  });
  server.get('/status', guard, async (_request, reply) => sendJson(reply, 200, await status()));
  for (const { path, handle } of routes) {
    server.get(path, guard, async (request, reply) => {
      const { code, body } = await answer(handle, request);
      return sendJson(reply, code, body);
    });
  }
  const paths = ['/healthz', '/readyz', '/metrics', '/status', ...routes.map(({ path }) => path)];
  server.setNotFoundHandler((_request, reply) => sendJson(reply, 404, { error: 'Not found', paths }));
  server.setErrorHandler((error, request, reply) => {
    logger.warn({ err: error, path: request.url }, 'A status request failed');
    const code = error instanceof TailwaterError ? error.code : undefined;
    return sendJson(reply, 500, { error: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) });
  });
}

async function answer(handle: StatusRoute['handle'], request: FastifyRequest): Promise<StatusAnswer> {
  const gone = new AbortController();
  const { socket } = request.raw;
  const onClose = (): void => gone.abort(new Error('The client has gone'));
  socket.once('close', onClose);
  try {
    return await handle(new URLSearchParams(request.raw.url?.split('?')[1] ?? ''), gone.signal);
  } catch (error) {
    if (!(error instanceof TailwaterError) || error.exitCode !== EXIT_USAGE) throw error;
    return { code: 400, body: { error: error.message, code: error.code, hint: error.hint } };
  } finally {
    socket.off('close', onClose);
  }
}

/** Compares digests, so the time it takes says nothing about the token. */
function bearerGuard(token: string): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return async (request, reply) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return undefined;
    return reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .header('content-type', JSON_TYPE)
      .send('{"error":"A bearer token is needed"}\n');
  };
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') return new TailwaterError(errorCodes.PORT_IN_USE, { host, port }, { cause: error });
  if (['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'ERR_SOCKET_BAD_PORT'].includes(code)) {
    return new TailwaterError(errorCodes.CANNOT_LISTEN, { host, port, reason: code }, { cause: error });
  }
  return error;
}
