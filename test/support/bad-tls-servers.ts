// Servers that get no further than the handshake, because something is wrong with their certificates: every client must refuse them.
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import type { Certificate, Certificates } from './certificates.js';

export class BadTlsServers implements AsyncDisposable {
  readonly #servers: readonly Server[];

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  /** @param authority - the CA that clients trust; the other one they do not */
  static async start(authority: Certificates, stranger: Certificates): Promise<BadTlsServers> {
    // One after the other: openssl's list of what it has signed is a file.
    const certificates = [
      await authority.issue('bad-expired', { expired: true }),
      await stranger.issue('bad-stranger'),
      await authority.issue('bad-host', { names: 'DNS:elsewhere.example' }),
    ];
    return new BadTlsServers(await Promise.all(certificates.map(listen)));
  }

  /** Ports of 127.0.0.1. */
  get expired(): number {
    return this.#port(0);
  }

  get otherCa(): number {
    return this.#port(1);
  }

  get otherHost(): number {
    return this.#port(2);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #port(index: number): number {
    return ((this.#servers[index] as Server).address() as AddressInfo).port;
  }
}

async function listen({ cert, key }: Certificate): Promise<Server> {
  const [certificate, privateKey] = await Promise.all([readFile(cert), readFile(key)]);
  const server = createServer({ cert: certificate, key: privateKey }, (socket) => socket.on('error', () => {}).destroy());
  server.on('tlsClientError', () => {}); // That the client leaves is what is expected.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
