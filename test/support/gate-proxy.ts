// A TCP proxy that passes everything on, until a client sends certain bytes: those, and what follows them, it keeps. So a process can be
// killed between two requests, or one request arrive when its sender is long gone.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class GateProxy implements AsyncDisposable {
  /** Whether the bytes have come. */
  isHolding = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;
  readonly #held: (() => void)[] = [];
  #closedFor: Buffer | undefined;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Listens on a free port and forwards to `port`. */
  static async start(port: number): Promise<GateProxy> {
    const proxy = new GateProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Closes for requests that hold these bytes. */
  close(bytes: Buffer): void {
    this.#closedFor = bytes;
  }

  /** Lets new connections pass whatever they send. */
  open(): void {
    this.#closedFor = undefined;
    this.isHolding = false;
  }

  /** What was held goes on its way now, whether or not its sender is still there. */
  release(): void {
    this.open();
    for (const deliver of this.#held.splice(0)) deliver();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket): void {
    const server = connect(this.#targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        if (held === undefined) server.destroy();
      });
    }
    server.pipe(client);
    let held: Buffer[] | undefined;
    let tail = Buffer.alloc(0);
    client.on('data', (data: Buffer) => {
      const sought = this.#closedFor;
      // The bytes may be divided among two reads.
      if (sought !== undefined && Buffer.concat([tail, data]).includes(sought)) {
        held ??= [];
        this.isHolding = true;
      }
      tail = Buffer.from(data.subarray(Math.max(0, data.length - 256)));
      if (held === undefined) return void server.write(data);
      if (held.push(data) > 1) return;
      const chunks = held;
      this.#held.push(() => {
        held = undefined;

        for (const chunk of chunks) server.write(chunk);
      });
    });
  }
}
