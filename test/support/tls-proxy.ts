// What Elasticsearch's security does in front of a node that has none: speaks TLS with a certificate made for the occasion, and
// lets in who sends the right `authorization` header.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const OPENSSL =
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem';

export class TlsProxy implements AsyncDisposable {
  /** PEM file of the certificate, which signs itself. */
  readonly caFile: string;
  /** The headers of the requests that were let in. */
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #directory: string;
  readonly #server: Server;

  private constructor(directory: string, key: Buffer, cert: Buffer, targetPort: number, authorization: readonly string[]) {
    this.#directory = directory;
    this.caFile = join(directory, 'cert.pem');
    this.#server = createServer({ key, cert }, (incoming, outgoing) => {
      if (!authorization.includes(incoming.headers.authorization ?? '')) {
        incoming.resume();
        outgoing.writeHead(401, { 'content-type': 'application/json' });
        outgoing.end('{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}');
        return;
      }
      this.headers.push(incoming.headers);
      forward(incoming, outgoing, targetPort);
    });
  }

  /** Listens on a free port of 127.0.0.1 and forwards what carries one of these `authorization` headers. */
  static async start(targetPort: number, authorization: readonly string[]): Promise<TlsProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'tls-proxy-'));
    await promisify(execFile)('openssl', OPENSSL.split(' '), { cwd: directory });
    const [key, cert] = await Promise.all([readFile(join(directory, 'key.pem')), readFile(join(directory, 'cert.pem'))]);
    const proxy = new TlsProxy(directory, key, cert, targetPort, authorization);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#directory, { recursive: true });
  }
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
