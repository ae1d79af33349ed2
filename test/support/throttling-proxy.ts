// A TCP proxy that lets only so many bytes a second through to the server: a real target behind a slow line.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export class ThrottlingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #bytesPerSecond: number;
  #freeAtMs = 0;

  private constructor(port: number, bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#server = createServer((client) => this.#join(client, connect(port, '127.0.0.1')));
  }

  /** Listens on a free port and forwards to `port`, all connections together at this speed. */
  static async start(port: number, bytesPerSecond: number): Promise<ThrottlingProxy> {
    const proxy = new ThrottlingProxy(port, bytesPerSecond);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(this.#throttle()).pipe(server);
    server.pipe(client);
  }

  #throttle(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        void this.#takeTurn(chunk.length).then(() => done(null, chunk));
      },
    });
  }

  /** One line for all connections: each chunk takes its time on it. */
  async #takeTurn(bytes: number): Promise<void> {
    this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + (bytes * 1000) / this.#bytesPerSecond;
    const waitMs = this.#freeAtMs - performance.now();
    if (waitMs > 1) await sleep(waitMs);
  }
}
