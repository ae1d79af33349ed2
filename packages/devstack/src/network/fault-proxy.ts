// A TCP proxy that does to all connections of one server what networks do: ends them, holds them, slows them down.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Deferred, deferred } from '../support/deferred.js';

export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stranded = new WeakSet<Socket>();
  #isCut = false;
  #frozen: Deferred<void> | undefined;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #freeAtMs = 0;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      client.on('error', () => client.destroy());
      if (this.#isCut) client.resetAndDestroy();
      else this.#join(client, connect(port, '127.0.0.1'));
    });
  }

  /** Listens on a free port and forwards to `port`. */
  static async start(port: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections, and resets every new one, until `heal`. */
  cut(): void {
    this.#isCut = true;
    this.#endConnections();
  }

  /** Ends all connections; new ones work. */
  reset(): void {
    this.#endConnections();
  }

  /** Holds what is sent in either direction, with all connections open and new ones accepted, until `heal`. */
  freeze(): void {
    this.#frozen ??= deferred<void>();
  }

  /** What is sent over the present connections never arrives, without a sign, as when a firewall forgets them; new ones work. */
  strand(): void {
    for (const socket of this.#sockets) this.#stranded.add(socket);
  }

  /** Lets all connections together have so many bytes a second, both directions counted, until `heal`. */
  slow(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** As if nothing had been: what was held goes on its way. */
  heal(): void {
    this.#isCut = false;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #endConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, server: Socket): void {
    // A port that refuses is seen as such by the client, too, and not as a polite end.
    server.on('error', () => client.resetAndDestroy());
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(this.#line(client)).pipe(server);
    server.pipe(this.#line(client)).pipe(client);
  }

  #line(client: Socket): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        void this.#takeTurn(chunk.length).then(() => this.#stranded.has(client) || done(null, chunk));
      },
    });
  }

  /** One line for all connections: each chunk takes its time on it. */
  async #takeTurn(bytes: number): Promise<void> {
    while (this.#frozen !== undefined) await this.#frozen.promise;
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return;
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + (bytes * 1000) / this.#bytesPerSecond;
    const waitMs = this.#freeAtMs - performance.now();
    if (waitMs > 1) await sleep(waitMs);
  }
}
