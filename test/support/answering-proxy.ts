// An HTTP proxy that now and then answers itself, as load balancers, login pages and caches do.
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OwnAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export class AnsweringProxy implements AsyncDisposable {
  readonly #server: Server;
  /** Given instead of the server's, to requests that bring something: undefined forwards. */
  answer: OwnAnswer | undefined;
  /** So often it answered itself. */
  answered = 0;

  private constructor(port: number) {
    this.#server = createServer((incoming, outgoing) => {
      const { answer } = this;
      if (answer !== undefined && incoming.method === 'POST') {
        incoming.resume().on('end', () => {
          this.answered += 1;
          outgoing.writeHead(answer.status, { 'content-type': 'text/html', ...answer.headers }).end(answer.body);
        });
        return;
      }
      const { method, url, headers } = incoming;
      const forwarded = request({ host: '127.0.0.1', port, method, path: url, headers }, (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      });
      forwarded.on('error', () => outgoing.destroy());
      incoming.pipe(forwarded);
    });
  }

  /** Listens on a free port and forwards to `port`. */
  static async start(port: number): Promise<AnsweringProxy> {
    const proxy = new AnsweringProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
