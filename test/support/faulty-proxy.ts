// A TCP proxy that does to one large request what networks do: ends the connection in its midst, loses the answer, stalls, or
// lets its bytes through in drops.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** `reset`: in the middle of the request. `lose-answer`: the server has done what it was asked to. `stall`: the answer never comes. */
export type Fault = 'reset' | 'lose-answer' | 'stall';

/** Requests that look after the connection are smaller. */
const LARGE_BYTES = 8 * 1024;
const DROP_BYTES = 512;

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of requests since the fault was armed. */
  sent: number;
  stalled: boolean;
}

export class FaultyProxy implements AsyncDisposable {
  /** So often the fault that was armed last has happened: once at most. */
  hits = 0;
  /** Whether bytes go in drops. */
  slow = false;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #fault: Fault | undefined;

  private constructor(port: number) {
    this.#server = createServer((client) => this.#join(client, connect(port, '127.0.0.1')));
  }

  /** Listens on a free port and forwards to `port`. */
  static async start(port: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next large request meets this fault. */
  arm(fault: Fault): void {
    this.#fault = fault;
    this.hits = 0;
    for (const link of this.#links) link.sent = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, server } of this.#links) for (const socket of [client, server]) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, server: Socket): void {
    const link: Link = { client, server, sent: 0, stalled: false };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('close', end);
      socket.on('error', end);
    }
    const toServer = this.#writer(server);
    const toClient = this.#writer(client);
    client.on('data', (chunk: Buffer) => {
      link.sent += chunk.length;
      if (this.#strikes('reset', link)) {
        server.write(chunk.subarray(0, chunk.length >> 1), () => server.destroy());
        client.resetAndDestroy();
      } else toServer(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      if (this.#strikes('lose-answer', link)) client.resetAndDestroy();
      if (this.#strikes('stall', link)) link.stalled = true;
      if (!link.stalled && !client.destroyed) toClient(chunk);
    });
  }

  #strikes(fault: Fault, { sent }: Link): boolean {
    if (this.#fault !== fault || sent <= LARGE_BYTES) return false;
    this.#fault = undefined;
    this.hits += 1;
    return true;
  }

  /** Keeps the order of the chunks, however they go. */
  #writer(to: Socket): (chunk: Buffer) => void {
    let written = Promise.resolve();
    return (chunk) => {
      written = written.then(async () => {
        for (let at = 0; at < chunk.length && !to.destroyed; ) {
          const size = this.slow ? DROP_BYTES : chunk.length;
          to.write(chunk.subarray(at, at + size));
          at += size;
          if (this.slow) await sleep(1);
        }
      });
    };
  }
}
