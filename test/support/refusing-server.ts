// What answers like Elasticsearch, and like a schema registry, and takes nothing: unknown users not at all, of the others no document.
// Each refusal repeats the credentials that it was given, as careless proxies do.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class RefusingServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(authorized: readonly string[]) {
    this.#server = createServer((incoming, outgoing) => {
      answer(incoming, outgoing, authorized).catch(() => outgoing.destroy());
    });
  }

  /** @param authorized - the `authorization` headers that are let in */
  static async start(authorized: readonly string[]): Promise<RefusingServer> {
    const refusing = new RefusingServer(authorized);
    await new Promise<void>((resolve) => refusing.#server.listen(0, '127.0.0.1', resolve));
    return refusing;
  }

  /** `127.0.0.1:<port>` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, authorized: readonly string[]): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const given = incoming.headers.authorization ?? '';
  const user = given.startsWith('Basic ') ? `${Buffer.from(given.slice(6), 'base64')}@` : '';
  const repeated = `refused, authorization: ${given}, of http://${user}127.0.0.1/`;
  const send = (status: number, body: object): void => {
    outgoing.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
    outgoing.end(JSON.stringify(body));
  };
  if (!authorized.includes(given)) return send(401, { error: { type: 'security_exception', reason: repeated }, message: repeated });
  if (incoming.url?.startsWith('/_cluster/health') === true) return send(200, { status: 'green' });
  if (incoming.url?.startsWith('/_bulk') !== true) return send(404, { error: { type: 'not_found', reason: repeated } });
  const actions = Buffer.concat(parts)
    .toString()
    .split('\n')
    .filter((line) => /^{"(?:index|delete|create)":/.test(line));
  const error = { type: 'document_parsing_exception', reason: repeated };
  const items = actions.map((line) => {
    const [[action, { _index, _id }]] = Object.entries(JSON.parse(line)) as [[string, { readonly _index: string; readonly _id: string }]];
    return { [action]: { _index, _id, status: 400, error } };
  });
  send(200, { errors: true, items });
}
