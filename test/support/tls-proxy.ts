// What Elasticsearch's security does in front of a node that has none: speaks TLS, and lets in who shows the right certificate and
// sends the right `authorization` header.
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Certificate, Certificates } from './certificates.js';

export interface TlsProxyOptions {
  /** Whose certificate it has and asks clients for; by default its own, made for the occasion. */
  readonly authority?: Certificates;
  /** Lets in nobody without a certificate of the authority. */
  readonly clientsMust?: boolean;
  /** By `authorization` header: answers 403 to these, which come from keys without rights. */
  readonly powerless?: readonly string[];
}

export class TlsProxy implements AsyncDisposable {
  /** The headers of the requests that were let in. */
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #authority: Certificates;
  readonly #ownAuthority: boolean;
  readonly #server: Server;

  private constructor(
    targetPort: number,
    authorization: readonly string[],
    authority: Certificates,
    files: TlsFiles,
    options: TlsProxyOptions,
  ) {
    this.#authority = authority;
    this.#ownAuthority = options.authority === undefined;
    this.#server = createServer({ ...files, requestCert: true, rejectUnauthorized: options.clientsMust === true }, (incoming, outgoing) => {
      const given = incoming.headers.authorization ?? '';
      if (options.powerless?.includes(given) === true) return refuse(incoming, outgoing, 403, 'is unauthorized');
      if (!authorization.includes(given)) return refuse(incoming, outgoing, 401, 'unable to authenticate');
      this.headers.push(incoming.headers);
      forward(incoming, outgoing, targetPort);
    });
  }

  /** Listens on a free port of 127.0.0.1 and forwards what carries one of these `authorization` headers. */
  static async start(targetPort: number, authorization: readonly string[], options: TlsProxyOptions = {}): Promise<TlsProxy> {
    const authority = options.authority ?? (await Certificates.create());
    const proxy = new TlsProxy(targetPort, authorization, authority, await read(await authority.issue('proxy'), authority), options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** PEM file of the authority that signed its certificate. */
  get caFile(): string {
    return this.#authority.ca;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if (this.#ownAuthority) await this.#authority[Symbol.asyncDispose]();
  }
}

interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

async function read({ cert, key }: Certificate, { ca }: Certificates): Promise<TlsFiles> {
  const [first, second, third] = await Promise.all([readFile(cert), readFile(key), readFile(ca)]);
  return { cert: first, key: second, ca: third };
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, status: 401 | 403, reason: string): void {
  incoming.resume();
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ error: { type: 'security_exception', reason }, status }));
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, port: number): void {
  const { authorization: _, ...headers } = incoming.headers;
  const options = { host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers };
  const onward = request(options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}
